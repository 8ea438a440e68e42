// One picture of all photographs, before and after side by side, with labels.
import sharp from 'sharp';

const CELL = { width: 300, height: 225 };
const GAP = 12;
const LABEL = 24;

/**
 * @param rows for each photograph its name and its pictures, each with a label
 * @returns a sharp picture that can be written in any format
 */
export async function contactSheet(rows) {
  const columns = Math.max(...rows.map(({ pictures }) => pictures.length));
  const width = GAP + columns * (CELL.width + GAP);
  const height = LABEL + GAP + rows.length * (CELL.height + LABEL + GAP);
  const layers = [];
  const labels = [];
  for (const [i, { label }] of rows[0].pictures.entries()) {
    labels.push(text(label, GAP + i * (CELL.width + GAP) + CELL.width / 2, LABEL, 'middle', 16));
  }
  for (const [r, { name, pictures }] of rows.entries()) {
    const top = LABEL + GAP + r * (CELL.height + LABEL + GAP);
    for (const [c, { image }] of pictures.entries()) {
      const left = GAP + c * (CELL.width + GAP);
      const { data, info } = await scaledToCell(image);
      const at = {
        left: left + ((CELL.width - info.width) >> 1),
        top: top + ((CELL.height - info.height) >> 1),
      };
      layers.push({ input: data, ...at });
      const size = `${image.width}×${image.height}`;
      const caption = c === 0 ? `${name}, ${size}` : size;
      labels.push(text(caption, left + CELL.width / 2, top + CELL.height + 16, 'middle', 12));
    }
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${labels.join('')}</svg>`;
  layers.push({ input: Buffer.from(svg), left: 0, top: 0 });
  const sheet = sharp({ create: { width, height, channels: 3, background: '#ffffff' } }).composite(layers);
  // Composed here, so that whoever resizes the sheet resizes all of it.
  const { data, info } = await sheet.raw().toBuffer({ resolveWithObject: true });
  return sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
}

/** The whole picture inside a cell; one that fits keeps its pixels. */
function scaledToCell({ data, width, height, channels }) {
  return sharp(data, { raw: { width, height, channels } })
    .toColourspace('srgb')
    .resize({ ...CELL, fit: 'inside', withoutEnlargement: true })
    .png()
    .toBuffer({ resolveWithObject: true });
}

function text(content, x, y, anchor, size) {
  const style = `font-family="sans-serif" font-size="${size}" text-anchor="${anchor}" fill="#222222"`;
  return `<text x="${x}" y="${y}" ${style}>${content.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</text>`;
}

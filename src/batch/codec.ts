/** Image files to pixels and back, by sharp: the only file that knows it. */
import { access, constants, stat } from 'node:fs/promises';
// Not by its name: programs that are bundled may have one of their own.
import nodeModule from 'node:module';
import { missingDependency } from '../errors.ts';
import type { Image, PixelData } from '../pixels.ts';
import { oversizedImage, undecodableImage, unreadableFile } from './image-errors.ts';

type Sharp = typeof import('sharp').default;

/** A format that can be written. */
export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'avif' | 'tiff' | 'gif';

/** The formats that can be written, with the file name endings of each; the first one is given to new files. */
export const FORMATS: Readonly<Record<ImageFormat, readonly [string, ...string[]]>> = {
  png: ['.png'],
  jpeg: ['.jpg', '.jpeg'],
  webp: ['.webp'],
  avif: ['.avif'],
  tiff: ['.tif', '.tiff'],
  gif: ['.gif'],
};

/** The format that a file name's ending means; undefined for none that can be written. */
export function formatOf(name: string): ImageFormat | undefined {
  const lower = name.toLowerCase();
  const found = Object.entries(FORMATS).find(([, endings]) => endings.some((end) => lower.endsWith(end)));
  return found?.[0] as ImageFormat | undefined;
}

/** What is decoded: a path, or the bytes of a file. */
export type Encoded = string | Uint8Array;

let loaded: Sharp | undefined;

/**
 * sharp, which the caller has installed.
 *
 * @throws TypeError `ERR_MISSING_DEPENDENCY`
 */
export function loadSharp(): Sharp {
  try {
    // Bundlers do not follow it: programs that read no image files are bundled without sharp.
    loaded ??= nodeModule.createRequire(import.meta.url)('sharp') as Sharp;
    return loaded;
  } catch (cause) {
    throw missingDependency('sharp', 'reading and writing image files', cause);
  }
}

/**
 * Decodes an image, upright: 8-bit samples in sRGB or gray, 16-bit ones where the file has them. The first page of several.
 *
 * @param name what errors call it
 * @param maxPixels a larger image is refused by its header, before it is decoded
 * @throws RangeError `ERR_FILE_READ`, `ERR_IMAGE_DECODE`, `ERR_LIMIT_EXCEEDED`
 */
export async function decodeImage(source: Encoded, name: string, maxPixels: number): Promise<Image> {
  const sharp = loadSharp();
  if (typeof source === 'string') await checkFile(source, name);
  else if (source.byteLength === 0) throw undecodableImage(name, 'no bytes');
  try {
    // The limit is ours: sharp's own error does not tell the size.
    const pipeline = sharp(source, { limitInputPixels: false, failOn: 'warning' });
    const { width, height, space, depth } = await pipeline.metadata();
    if (width * height > maxPixels) throw oversizedImage(name, maxPixels, `${width} × ${height}`);
    const gray = space === 'b-w' || space === 'grey16';
    const deep = depth === 'ushort';
    const { data, info } = await pipeline
      .autoOrient()
      .toColourspace(deep ? (gray ? 'grey16' : 'rgb16') : gray ? 'b-w' : 'srgb')
      .raw({ depth: deep ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const samples = deep ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data;
    return { data: samples, width: info.width, height: info.height, channels: info.channels };
  } catch (error) {
    throw (error as { code?: string }).code === 'ERR_LIMIT_EXCEEDED' ? error : undecodableImage(name, error);
  }
}

async function checkFile(file: string, name: string): Promise<void> {
  let found: Awaited<ReturnType<typeof stat>>;
  try {
    found = await stat(file);
    // sharp's error would not tell a file without a right to read it from one of another format.
    await access(file, constants.R_OK);
  } catch (error) {
    throw unreadableFile(name, error);
  }
  if (!found.isFile()) throw unreadableFile(name, found.isDirectory() ? 'a folder' : 'no regular file');
  if (found.size === 0) throw undecodableImage(name, 'an empty file');
}

/** Encodes an image; formats of 8 bits take the upper byte of 16-bit samples. */
export async function encodeImage(image: Image, format: ImageFormat, quality?: number): Promise<Uint8Array> {
  const sharp = loadSharp();
  const { width, height, channels } = image;
  const gray = channels < 3;
  const deep = image.data instanceof Uint16Array;
  const raw = { width, height, channels: channels as 1 | 2 | 3 | 4 };
  const keepsDepth = deep && (format === 'png' || format === 'tiff');
  return sharp(image.data as Exclude<PixelData, Float32Array>, { raw })
    .toColourspace(keepsDepth ? (gray ? 'grey16' : 'rgb16') : gray ? 'b-w' : 'srgb')
    .toFormat(format, quality === undefined ? {} : { quality })
    .toBuffer();
}

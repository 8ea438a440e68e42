/** From the bytes of an image to those of the filtered one. */
import { emboss, filterImageAsync, gaussian, laplacian, sobelX, sobelY, unsharp } from 'corr2d';
import sharp from 'sharp';
import { HttpError } from './http-error.mjs';

/** What clients may ask for. */
export const KERNELS = { sharpen: unsharp(1, 1), blur: gaussian(2), emboss, laplacian, sobelX, sobelY };

/** Formats that answers may have; an upload of another one is answered as PNG. */
const ANSWERS = ['jpeg', 'png', 'webp'];

/**
 * Decodes, filters and encodes. sharp and corr2d work on threads of their own, so the event loop is free all the while. An abort
 * stops the filter within a tile; a call of sharp can't be stopped, so it is looked at before each.
 */
export async function transform(upload, kernel, { maxPixels, signal }) {
  // Our own check by the header tells 413 from 400; sharp's would not.
  const { width, height, format } = await refusing(415, () => sharp(upload).metadata());
  if (width * height > maxPixels) throw new HttpError(413, `an image has at most ${maxPixels} pixels`);

  signal.throwIfAborted();
  const { data, info } = await refusing(400, () =>
    sharp(upload, { limitInputPixels: maxPixels, failOn: 'warning' })
      .autoOrient()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true }),
  );

  // `transfer`: the decoded pixels are nobody else's, so they need not be copied.
  const filtered = await filterImageAsync({ data, ...info }, kernel, { signal, transfer: true });

  signal.throwIfAborted();
  const answer = ANSWERS.includes(format) ? format : 'png';
  const { channels } = filtered;
  const raw = { width: filtered.width, height: filtered.height, channels };
  const encoded = await sharp(filtered.data, { raw }).toFormat(answer).toBuffer();
  return { data: encoded, type: `image/${answer}` };
}

/** What sharp can't take is the client's mistake. */
async function refusing(status, work) {
  try {
    return await work();
  } catch (error) {
    throw new HttpError(status, error.message.split('\n', 1)[0]);
  }
}

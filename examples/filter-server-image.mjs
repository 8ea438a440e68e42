// Filter an upload on a server: sharp decodes and encodes, corr2d works on sharp's raw pixels without a conversion.

import { fileURLToPath } from 'node:url';
import { filterImage, unsharp } from 'corr2d';
import sharp from 'sharp';

const upload = fileURLToPath(new URL('./images/coffee.png', import.meta.url));
const { data, info } = await sharp(upload).raw().toBuffer({ resolveWithObject: true });
const { width, height, channels } = info;

const sharper = filterImage({ data, width, height, channels }, unsharp(1, 1));

const answer = await sharp(sharper.data, { raw: { width, height, channels } }).jpeg().toBuffer();
console.log(`${width}×${height} pixels sharpened, a JPEG of ${answer.length} bytes`);

// What the demo does to each photograph: one row per picture that it writes.
import { filterImage, gaussian, gradientMagnitude, poolImage, unsharp } from 'corr2d';

const blur = gaussian(3);
const mask = unsharp(1.5, 1.5);

export const steps = [
  { name: 'edges', title: 'Sobel edges', run: sobelEdges },
  { name: 'blur', title: 'Gaussian blur', run: (image) => filterImage(image, blur) },
  { name: 'sharp', title: 'sharpened', run: (image) => filterImage(image, mask) },
  { name: 'thumbnail', title: '2×2 max pool', run: (image) => poolImage(image, 2) },
];

/** Length of the brightness' gradient, as a gray image. */
function sobelEdges(image) {
  // A step of one gray level gives 4: half of the full gradient keeps soft edges visible and hard ones below white.
  return gradientMagnitude(brightness(image), 'sobel', { scale: 0.5 });
}

/** The brightness of a colour image: the weights of ITU-R BT.601. */
function brightness({ data, width, height, channels }) {
  if (channels < 3) return { data: data.filter((_, i) => i % channels === 0), width, height, channels: 1 };
  const gray = new Uint8ClampedArray(width * height);
  for (let i = 0, at = 0; i < gray.length; i++, at += channels) {
    gray[i] = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  }
  return { data: gray, width, height, channels: 1 };
}

// What the demo does to each photograph: one row per picture that it writes.
import {
  filterImage,
  gaussian,
  imageToTensor,
  maxPool2d,
  sobelX,
  sobelY,
  tensorToImage,
  unsharp,
} from 'corr2d';

const blur = gaussian(3);
const mask = unsharp(1.5, 1.5);

export const steps = [
  { name: 'edges', title: 'Sobel edges', run: sobelEdges },
  { name: 'blur', title: 'Gaussian blur', run: (image) => filterImage(image, blur) },
  { name: 'sharp', title: 'sharpened', run: (image) => filterImage(image, mask) },
  { name: 'thumbnail', title: '2×2 max pool', run: maxPooled },
];

/** Length of the brightness' gradient, √(gx² + gy²), as a gray image. */
function sobelEdges(image) {
  const gray = brightness(image);
  const x = filterImage(gray, sobelX).data;
  const y = filterImage(gray, sobelY).data;
  // A step of one gray level gives 4: half of the full gradient keeps soft edges visible and hard ones below white.
  const edges = new Uint8ClampedArray(x.length);
  for (let i = 0; i < x.length; i++) edges[i] = Math.sqrt(x[i] * x[i] + y[i] * y[i]) / 2;
  return { ...gray, data: edges };
}

/** The brightness of a colour image (the weights of ITU-R BT.601) in floats, so that gradients may be negative. */
function brightness({ data, width, height, channels }) {
  const gray = new Float32Array(width * height);
  for (let i = 0, at = 0; i < gray.length; i++, at += channels) {
    gray[i] = channels < 3 ? data[at] : 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  }
  return { data: gray, width, height, channels: 1 };
}

/** Half the size: the brightest of each 2×2 pixels, each colour by itself. */
function maxPooled(image) {
  return tensorToImage(maxPool2d(imageToTensor(image), 2));
}

import { describe, expect, test } from 'vitest';
import * as corr2dPackage from '../index.ts';
import {
  box,
  corr2d,
  emboss,
  type GaborOptions,
  gabor,
  gaussian,
  laplacian,
  log,
  prewittX,
  prewittY,
  scharrX,
  scharrY,
  sharpen,
  sobelX,
  sobelY,
  Tensor,
  unsharp,
} from '../index.ts';

const sum = (kernel: Tensor) => kernel.data.reduce((total, weight) => total + weight, 0);
const side = (kernel: Tensor) => kernel.shape;
const code = (call: () => unknown): unknown => {
  try {
    call();
  } catch (error) {
    return `${(error as Error).name} ${(error as { code?: string }).code}`;
  }
  return 'no error';
};

describe('constant kernels', () => {
  test('the vertical gradients are the transposes of the horizontal ones', () => {
    for (const [x, y] of [
      [sobelX, sobelY],
      [scharrX, scharrY],
      [prewittX, prewittY],
    ] as const) {
      expect(y.toArray()).toEqual(x.transpose().toArray());
    }
  });

  test.each([
    ['sobelX', sobelX, 8],
    ['scharrX', scharrX, 32],
    ['prewittX', prewittX, 6],
  ] as const)(
    '%s answers a ramp to the right with its positive weight, a ramp down with 0',
    (_, kernel, slope) => {
      const ramp = Tensor.from(Array.from({ length: 4 }, () => [0, 1, 2, 3, 4]));
      expect(corr2d(ramp, kernel).toArray()).toEqual([
        [slope, slope, slope],
        [slope, slope, slope],
      ]);
      expect(corr2d(ramp.transpose(), kernel).data.every((value) => value === 0)).toBe(true);
    },
  );

  test('the Laplacian is 0 on a plane and negative at a bright dot', () => {
    const plane = Tensor.from([0, 1, 2].map((y) => [0, 1, 2, 3].map((x) => 2 * x - 3 * y)));
    expect([...corr2d(plane, laplacian).data]).toEqual([0, 0]);
    const dot = [
      [0, 0, 0],
      [0, 1, 0],
      [0, 0, 0],
    ];
    expect(corr2d(dot, laplacian).toArray()).toEqual([[-4]]);
  });

  test('sharpening and embossing keep a flat area', () => {
    expect(sum(sharpen)).toBe(1);
    expect(sum(emboss)).toBe(1);
    expect(corr2d(Tensor.full([3, 3], 7), sharpen).toArray()).toEqual([[7]]);
  });

  test('emboss is light on a slope towards the lower right and dark on the opposite one', () => {
    const slope = Tensor.from([0, 1, 2].map((y) => [0, 1, 2].map((x) => x + y)));
    const centre = 2;
    expect(corr2d(slope, emboss).at(0, 0)).toBeGreaterThan(centre);
    expect(
      corr2d(Tensor.from([4, 3, 2].map((first) => [first, first - 1, first - 2])), emboss).at(0, 0),
    ).toBeLessThan(centre);
  });
});

describe('box', () => {
  test('is the mean', () => {
    expect(side(box(3))).toEqual([3, 3]);
    expect(new Set(box(3).data)).toEqual(new Set([Math.fround(1 / 9)]));
    expect(box(1).toArray()).toEqual([[1]]);
    expect(
      corr2d(
        [
          [1, 2],
          [3, 6],
        ],
        box(2),
      ).toArray(),
    ).toEqual([[3]]);
  });
});

describe('gaussian', () => {
  test.each([[0.3], [0.5], [1], [1.4], [2], [7.25]])(
    'sigma %d: sum 1, symmetric, falls from the centre',
    (sigma) => {
      const kernel = gaussian(sigma);
      const n = 2 * Math.ceil(3 * sigma) + 1;
      expect(side(kernel)).toEqual([n, n]);
      expect(sum(kernel)).toBeCloseTo(1, 6);
      expect(kernel.toArray()).toEqual(kernel.transpose().toArray());
      expect([...kernel.data].reverse()).toEqual([...kernel.data]);
      const middle = (n - 1) / 2;
      for (let x = middle; x < n - 1; x++)
        expect(kernel.at(middle, x)).toBeGreaterThanOrEqual(kernel.at(middle, x + 1));
    },
  );

  test('has the ratios of the formula', () => {
    const kernel = gaussian(1.5, 7);
    expect(side(kernel)).toEqual([7, 7]);
    for (let y = 0; y < 7; y++) {
      for (let x = 0; x < 7; x++) {
        const expected = Math.exp(-((x - 3) ** 2 + (y - 3) ** 2) / (2 * 1.5 ** 2));
        expect(kernel.at(y, x) / kernel.at(3, 3)).toBeCloseTo(expected, 6);
      }
    }
  });

  test('OpenCV getGaussianKernel(5, 1)', () => {
    const row = [
      0.05448868454964433, 0.24420134200323348, 0.4026199468942475, 0.24420134200323348, 0.05448868454964433,
    ];
    const kernel = gaussian(1, 5);
    for (const [y, a] of row.entries()) {
      for (const [x, b] of row.entries()) expect(kernel.at(y, x)).toBeCloseTo(a * b, 7);
    }
  });

  test('an even size lies half a pixel off, and a tiny sigma leaves only the nearest samples', () => {
    expect(gaussian(1, 2).toArray()).toEqual([
      [0.25, 0.25],
      [0.25, 0.25],
    ]);
    expect([...gaussian(1e-3, 4).data]).toEqual([0, 0, 0, 0, 0, 0.25, 0.25, 0, 0, 0.25, 0.25, 0, 0, 0, 0, 0]);
    expect([...gaussian(1e-200, 3).data]).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0]);
  });
});

describe('unsharp', () => {
  test('is the image plus amount times (image - blur)', () => {
    const kernel = unsharp(1, 0.75);
    const blur = gaussian(1);
    expect(side(kernel)).toEqual(side(blur));
    for (let y = 0; y < 7; y++) {
      for (let x = 0; x < 7; x++) {
        const delta = y === 3 && x === 3 ? 1 : 0;
        expect(kernel.at(y, x)).toBeCloseTo(delta + 0.75 * (delta - blur.at(y, x)), 6);
      }
    }
    expect(sum(kernel)).toBeCloseTo(1, 6);
  });

  test('amount 0 leaves the image', () => {
    const kernel = unsharp(0.3, 0);
    expect(kernel.toArray()).toEqual([
      [0, 0, 0],
      [0, 1, 0],
      [0, 0, 0],
    ]);
  });
});

describe('log', () => {
  test.each([[0.5], [1], [2.3]])('sigma %d: sum 0, negative at the centre, symmetric', (sigma) => {
    const kernel = log(sigma);
    const n = 2 * Math.ceil(4 * sigma) + 1;
    expect(side(kernel)).toEqual([n, n]);
    expect(Math.abs(sum(kernel))).toBeLessThan(1e-6);
    expect(kernel.at((n - 1) / 2, (n - 1) / 2)).toBeLessThan(0);
    expect(kernel.toArray()).toEqual(kernel.transpose().toArray());
  });

  test('is near the closed form, and its answer to x² + y² is near 4', () => {
    const kernel = log(2);
    const closed = (y: number, x: number) => {
      const r2 = x * x + y * y;
      return ((r2 - 8) / 16) * (Math.exp(-r2 / 8) / (8 * Math.PI));
    };
    let answer = 0;
    for (let y = -8; y <= 8; y++) {
      for (let x = -8; x <= 8; x++) {
        expect(kernel.at(y + 8, x + 8)).toBeCloseTo(closed(y, x), 4);
        answer += kernel.at(y + 8, x + 8) * (x * x + y * y);
      }
    }
    expect(answer).toBeGreaterThan(3.8);
    expect(answer).toBeLessThan(4.2);
  });
});

describe('gabor', () => {
  test('has the values of the formula', () => {
    const options: GaborOptions = { sigma: 2, lambda: 5, theta: 0.6, gamma: 0.5, psi: 0.3, size: 9 };
    const kernel = gabor(options);
    for (let row = 0; row < 9; row++) {
      for (let column = 0; column < 9; column++) {
        const [x, y] = [column - 4, row - 4];
        const u = x * Math.cos(0.6) + y * Math.sin(0.6);
        const v = -x * Math.sin(0.6) + y * Math.cos(0.6);
        const expected = Math.exp(-(u * u + 0.25 * v * v) / 8) * Math.cos((2 * Math.PI * u) / 5 + 0.3);
        expect(kernel.at(row, column)).toBeCloseTo(expected, 6);
      }
    }
  });

  test('defaults: a round envelope, an upright wave, the whole envelope inside', () => {
    const kernel = gabor({ sigma: 1.5, lambda: 4 });
    expect(side(kernel)).toEqual([11, 11]);
    expect(kernel.at(5, 5)).toBe(1);
    expect(side(gabor({ sigma: 1.5, lambda: 4, gamma: 0.5 }))).toEqual([19, 19]);
    const turned = gabor({ sigma: 1.5, lambda: 4, theta: Math.PI / 2 });
    for (let i = 0; i < 11; i++) expect(turned.at(i, 2)).toBeCloseTo(kernel.at(2, i), 6);
  });
});

describe('bad parameters', () => {
  const type = 'TypeError ERR_INVALID_ARG_TYPE';
  const range = 'RangeError ERR_OUT_OF_RANGE';
  const limit = 'RangeError ERR_LIMIT_EXCEEDED';
  const loose = corr2dPackage as unknown as Record<string, (...args: unknown[]) => unknown>;
  const valid = { sigma: 1, lambda: 4 };

  test.each([
    ['box', [], type],
    ['box', ['3'], type],
    ['box', [[3, 3]], type],
    ['box', [0], range],
    ['box', [-1], range],
    ['box', [2.5], range],
    ['box', [Number.NaN], range],
    ['box', [1e9], limit],
    ['gaussian', [], type],
    ['gaussian', [null], type],
    ['gaussian', [true], type],
    ['gaussian', [0], range],
    ['gaussian', [-1], range],
    ['gaussian', [Number.NaN], range],
    ['gaussian', [Number.POSITIVE_INFINITY], range],
    ['gaussian', [1e300], limit],
    ['gaussian', [1, 0], range],
    ['gaussian', [1, 1.5], range],
    ['gaussian', [1, '3'], type],
    ['unsharp', [1], type],
    ['unsharp', [0, 1], range],
    ['unsharp', [1, -0.1], range],
    ['unsharp', [1, Number.NaN], range],
    ['unsharp', [1, 1e300], range],
    ['log', [], type],
    ['log', [0], range],
    ['log', [1e-200], range],
    ['gabor', [], type],
    ['gabor', [1], type],
    ['gabor', [{}], type],
    ['gabor', [{ sigma: 1 }], type],
    ['gabor', [{ ...valid, sigma: 0 }], range],
    ['gabor', [{ ...valid, lambda: -1 }], range],
    ['gabor', [{ ...valid, lambda: 1e-320 }], range],
    ['gabor', [{ ...valid, gamma: 0 }], range],
    ['gabor', [{ ...valid, theta: 'x' }], type],
    ['gabor', [{ ...valid, psi: Number.NaN }], range],
    ['gabor', [{ ...valid, size: 0 }], range],
    ['gabor', [{ ...valid, wavelength: 3 }], 'TypeError ERR_INVALID_ARG_VALUE'],
  ] as const)('%s(...%j) throws', (name, args, expected) => {
    expect(code(() => loose[name]?.(...args))).toBe(expected);
  });

  test('the message says what was expected, for which parameter, and what came', () => {
    expect(() => gaussian(-2)).toThrow('expected a number above 0 for sigma, received -2');
  });
});

test('the kernels namespace holds the named exports', () => {
  expect(corr2dPackage.kernels.sobelX).toBe(sobelX);
  expect(Object.keys(corr2dPackage.kernels).sort()).toEqual([
    'box',
    'emboss',
    'gabor',
    'gaussian',
    'laplacian',
    'log',
    'prewittX',
    'prewittY',
    'scharrX',
    'scharrY',
    'sharpen',
    'sobelX',
    'sobelY',
    'unsharp',
  ]);
});

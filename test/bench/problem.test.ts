/** Problems on one line, their sizes, and the suites made of them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { makeWeights } from '../../bench/data.ts';
import { bytesOf, classOf, flopsOf, outputSides, sizesOf } from '../../bench/problem.ts';
import { formatProblem, parseProblem } from '../../bench/problem-text.ts';
import { type SuiteName, suite, suites } from '../../bench/suites.ts';
import { conv2dOutputShape } from '../../src/conv2d.ts';
import { pool2dOutputShape } from '../../src/pool2d.ts';

describe('a problem on one line', () => {
  test.each([
    ['conv:n1c64h56w56-o64k3s1p1', 'conv:n1c64h56w56-o64k3s1p1', '3×3'],
    ['conv:h5w6-o1k2x3', 'conv:n1c1h5w6-o1k2x3s1', 'image filter f32'],
    ['conv:c64h9w9o64k3p2x1d2g64', 'conv:n1c64h9w9-o64k3s1p2x1d2g64', 'depthwise'],
    ['conv:c3h224w224-o64k7s2p3', 'conv:n1c3h224w224-o64k7s2p3', 'stem'],
    ['conv:c256h32w32-o256k3p12d12', 'conv:n1c256h32w32-o256k3s1p12d12', 'dilated'],
    ['conv:c8h4w4-o8k1s2', 'conv:n1c8h4w4-o8k1s2', '1×1'],
    ['maxpool:c2h8w8-k2', 'maxpool:n1c2h8w8-k2s2', 'pooling'],
    ['avgpool:c2h8w8-k3s1p1', 'avgpool:n1c2h8w8-k3s1p1', 'pooling'],
    ['convgrad:c2h8w8-o2k3', 'convgrad:n1c2h8w8-o2k3s1', 'backward convolution'],
    ['maxpoolgrad:h4w4-k2', 'maxpoolgrad:n1c1h4w4-k2s2', 'backward pooling'],
    ['filter:h10w20c3-k5', 'filter:c3h10w20-k5u8', 'image filter u8'],
    ['gauss:h10w20-k5f32', 'gauss:c1h10w20-k5f32', 'Gaussian blur f32'],
    ['box:h10w20c3-k5', 'box:c3h10w20-k5u8', 'box blur u8'],
    ['sharpen:c3h10w20-k5', 'sharpen:c3h10w20-k5u8', 'sharpening u8'],
    ['dilate:h10w20-k3x5', 'dilate:c1h10w20-k3x5u8', 'dilation u8'],
  ])('%s', (text, canonical, className) => {
    const problem = parseProblem(text);
    expect(formatProblem(problem)).toBe(canonical);
    expect(parseProblem(canonical)).toEqual(problem);
    expect(classOf(problem)).toBe(className);
  });

  test.each([
    '',
    'conv',
    'conv:',
    'deconv:h3w3-o1k1',
    'conv:h5w5-k3',
    'conv:h5w5-o1',
    'conv:h5w5-o1k3z1',
    'conv:h5w5-o1k3k3',
    'conv:h5w5-o0k3',
    'conv:h5w5-o1k0',
    'conv:h-5w5-o1k3',
    'conv:h5x5w5-o1k3',
    'conv:h5w5-o1k6',
    'conv:h5w5-o1k3d3',
    'conv:c3h5w5-o4k3g2',
    'conv:h5w5-o1k3 ',
    'conv:h5.5w5-o1k3',
    'conv:h99999999999w5-o1k3',
    'conv:n99999c99999h99w99-o1k3',
    'maxpool:h5w5-k2p2',
    'maxpool:h5w5-o1k2',
    'filter:h5w5-k3u16',
    'filter:h5w5-k3u8f32',
    'filter:h5w5-k3s2',
    'dilate:h5w5-k4',
    '__proto__:h5w5-o1k3',
  ])('%j is refused', (text) => {
    expect(() => parseProblem(text)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
  });
});

describe('sizes', () => {
  test('are those of the operators', () => {
    for (const { problem } of Object.values(suites).flatMap(({ entries }) => entries)) {
      const { x, weight, gradOutput } = { ...sizesOf(problem), gradOutput: sizesOf(problem).forward };
      expect(x).toBeGreaterThan(0);
      if (!('n' in problem)) continue;
      const { n, c, h, w, kernel, stride, padding } = problem;
      const shape = [n, c, h, w];
      if ('o' in problem) {
        const { o, groups, dilation } = problem;
        const weightShape = [o, c / groups, ...kernel];
        const out = conv2dOutputShape(shape, weightShape, { stride, padding, dilation, groups });
        expect(outputSides(problem)).toEqual(out.slice(2));
        expect(gradOutput).toBe(out.reduce((a, b) => a * b));
        expect(weight).toBe(weightShape.reduce((a, b) => a * b));
      } else {
        const out = pool2dOutputShape(shape, kernel, { stride, padding });
        expect(outputSides(problem)).toEqual(out.slice(2));
      }
    }
  });

  test('operations and bytes of a convolution', () => {
    const problem = parseProblem('conv:n2c4h5w6-o6k3s1p1g2');
    expect(flopsOf(problem)).toBe(2 * (2 * 6 * 5 * 6) * 2 * 9);
    expect(bytesOf(problem)).toBe(4 * (2 * 4 * 30 + 6 * 2 * 9 + 2 * 6 * 30));
  });

  test('the same numbers every time, in the arrays that the operator takes', () => {
    const problem = parseProblem('convgrad:c2h4w4-o3k3p1');
    const { x, weight, gradOutput } = makeWeights(problem);
    expect([x.length, weight.length, gradOutput.length]).toEqual([32, 54, 48]);
    expect(makeWeights(problem)).toEqual({ x, weight, gradOutput });
    expect(makeWeights(parseProblem('filter:h4w4-k3')).x).toBeInstanceOf(Uint8Array);
  });
});

describe('suites', () => {
  const operations = (name: SuiteName) =>
    suites[name].entries
      .filter(({ problem }) => problem.kind === 'conv')
      .reduce((sum, { problem, count }) => sum + count * flopsOf(problem), 0);
  const layers = (name: SuiteName) => suites[name].entries.reduce((sum, { count }) => sum + count, 0);

  test('networks have their published numbers of layers and operations', () => {
    // ResNet-50: 53 convolutions and 2 poolings, 4.09·10⁹ multiply-adds without the 2·10⁶ of its classifier.
    expect(layers('resnet50')).toBe(55);
    expect(operations('resnet50') / 2e9).toBeCloseTo(4.087, 2);
    // VGG-16: 15.47·10⁹ with 0.124·10⁹ in its classifier.
    expect(layers('vgg16')).toBe(18);
    expect(operations('vgg16') / 2e9).toBeCloseTo(15.347, 2);
    // MobileNetV2: 0.300·10⁹ with 1.3·10⁶ in its classifier.
    expect(layers('mobilenetv2')).toBe(53);
    expect(operations('mobilenetv2') / 2e9).toBeCloseTo(0.2995, 3);
  });

  test('have names of their own, and weights that fit in memory', () => {
    for (const { name, entries } of Object.values(suites)) {
      expect(new Set(entries.map((entry) => entry.name)).size, name).toBe(entries.length);
    }
    expect(suites.layers.entries).toHaveLength(39);
    expect(suites.layers.entries[2]).toMatchObject({ name: 'r50.c2.3x3', count: 1, class: '3×3' });
  });

  test('a file is read by its path, the object form included', () => {
    const file = fileURLToPath(new URL('../../bench/suites/layers.json', import.meta.url));
    expect(suite(file).entries).toEqual(suites.layers.entries);
    expect(readFileSync(file, 'utf8')).toContain('"op": "conv2d"');
  });

  test.each(['layer', 'missing.json', fileURLToPath(import.meta.url), 'toString'])(
    '%s is refused',
    (name) => {
      expect(() => suite(name)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
    },
  );
});

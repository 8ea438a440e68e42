// A backend of your own, measured against corr2d and a plain loop. As a module on the command line:
// `npm run bench -- --backend examples/bench-backend.mjs conv:h480w640-o1k5p2`; by itself it does the same as a library.
import { pathToFileURL } from 'node:url';
import { bench, defineBackend, outputSides, table } from 'corr2d/bench';

/** A correlation of one channel that goes through the kernel once and through the image for each of its taps. */
function correlate({ h, w, kernel: [kh, kw], padding: [top, left] }, [oh, ow], x, weight, out) {
  out.fill(0);
  for (let a = 0; a < kh; a++) {
    for (let b = 0; b < kw; b++) {
      const tap = weight[a * kw + b];
      const [first, last] = [Math.max(left - b, 0), Math.min(ow, w + left - b)];
      for (let i = Math.max(top - a, 0); i < Math.min(oh, h + top - a); i++) {
        const from = (i + a - top) * w + b - left;
        for (let j = first; j < last; j++) out[i * ow + j] += tap * x[from + j];
      }
    }
  }
}

const mine = defineBackend({
  name: 'mine',
  version: '1.0.0',
  supports: ({ kind, n, c, o, stride, dilation }) =>
    kind === 'conv' && n * c * o === 1 && Math.max(...stride, ...dilation) === 1,
  prepare(problem, { x, weight }) {
    const sides = outputSides(problem);
    const out = new Float32Array(sides[0] * sides[1]);
    return {
      run: () => correlate(problem, sides, x, weight, out),
      output: () => out,
      dispose: () => {},
    };
  },
});

export default mine;

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const problems = ['conv:h120w160-o1k3p1', 'conv:h120w160-o1k5'];
  console.log(table(await bench({ problems, backends: [mine, 'plain', 'corr2d'], threads: 1, rounds: 3 })));
}

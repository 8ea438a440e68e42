// A loss curve, in a terminal's characters and as an SVG.
import { parse, View } from 'vega';
import { compile } from 'vega-lite';

/** A line of `width` characters, as high as the mean of their part of the values. */
export function sparkline(values, width) {
  const blocks = '▁▂▃▄▅▆▇█';
  const parts = Array.from({ length: width }, (_, i) => {
    const part = values.slice((i * values.length) / width, ((i + 1) * values.length) / width);
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
  const most = Math.max(...parts);
  return parts.map((part) => blocks[Math.min(7, Math.floor((8 * part) / most))]).join('');
}

/** An SVG of the loss at each step and its mean over the steps around it. */
export function drawCurve(losses, title) {
  const specification = {
    title,
    width: 640,
    height: 320,
    background: 'white',
    data: { values: losses.map((loss, step) => ({ step: step + 1, loss })) },
    transform: [{ window: [{ op: 'mean', field: 'loss', as: 'mean' }], frame: [-10, 10] }],
    encoding: { x: { field: 'step', type: 'quantitative', title: 'step' } },
    layer: [
      {
        mark: { type: 'line', color: '#9ecae1', strokeWidth: 1 },
        encoding: { y: { field: 'loss', type: 'quantitative', title: 'cross-entropy' } },
      },
      {
        mark: { type: 'line', color: '#08519c', strokeWidth: 2 },
        encoding: { y: { field: 'mean', type: 'quantitative' } },
      },
    ],
  };
  return new View(parse(compile(specification).spec), { renderer: 'none' }).toSVG();
}

/** The report as a picture: a roofline and the ratios, drawn by Vega-Lite. */
import type { TopLevelSpec } from 'vega-lite';
import type { Limits } from '../machine.ts';
import { loadPackage, MissingPackage } from '../optional.ts';
import { bestPeer, type Report, ranked, ratioOf } from '../report.ts';
import { machineLines, summaries } from './format.ts';

const WIDTH = 900;

/** Floating-point operations per byte and 10⁹ of them per second, of every result. */
function points({ rows }: Report) {
  return rows.flatMap((row) =>
    ranked(row).map(({ backend, gflops }) => ({
      backend,
      problem: row.name,
      intensity: row.flops / row.bytes,
      gflops,
    })),
  );
}

/** The lines that no direct method gets beyond: the bandwidth of each level of memory up to the multiply-add peak. */
function roofs({ fma, copy }: Limits, isa: string, least: number, most: number) {
  const peak = (fma[isa] ?? Number.POSITIVE_INFINITY) / 1e9;
  const levels = Object.entries(copy).flatMap(([roof, bytes]) => {
    const rate = bytes / 1e9;
    const end = Math.min(Math.max(peak / rate, least), most);
    return [least, end].map((intensity) => ({ roof, intensity, gflops: intensity * rate }));
  });
  if (!Number.isFinite(peak)) return levels;
  return [...levels, ...[least, most].map((intensity) => ({ roof: 'FMA', intensity, gflops: peak }))];
}

/** How many times faster than its best peer the summarized backend is on each problem. */
function ratios(report: Report, backend: string) {
  return report.rows.flatMap((row) => {
    const result = ranked(row).find((candidate) => candidate.backend === backend);
    if (result === undefined) return [];
    const [ratio, peer] = [ratioOf(row, result), bestPeer(row, result)];
    return ratio === undefined ? [] : [{ problem: row.name, class: row.class, ratio, peer: peer?.backend }];
  });
}

function shortened(line: string, most = 150): string {
  return line.length <= most ? line : `${line.slice(0, most)}…`;
}

function specification(report: Report): TopLevelSpec {
  const results = points(report);
  const intensities = results.map(({ intensity }) => intensity);
  const [least, most] = [Math.min(...intensities) / 2, Math.max(...intensities) * 2];
  const x = {
    field: 'intensity',
    type: 'quantitative',
    scale: { type: 'log', domain: [least, most], nice: false },
    title: 'operations per byte',
  } as const;
  const y = { field: 'gflops', type: 'quantitative', scale: { type: 'log' }, title: 'GFLOP/s' } as const;
  const roof = roofs(report.limits, report.machine.isa, least, most);
  const roofline = {
    width: WIDTH,
    height: 420,
    title: 'Roofline: each result against the limits measured in the same run',
    layer: [
      {
        data: { values: roof },
        mark: { type: 'line', color: '#888' },
        encoding: { x, y, detail: { field: 'roof' } },
      },
      {
        data: { values: roof },
        transform: [
          { joinaggregate: [{ op: 'max', field: 'intensity', as: 'end' }], groupby: ['roof'] },
          { filter: 'datum.intensity === datum.end' },
        ],
        mark: { type: 'text', dy: -8, align: 'right', color: '#666' },
        encoding: { x, y, text: { field: 'roof' } },
      },
      {
        data: { values: results },
        mark: { type: 'point', filled: true, size: 50, opacity: 0.8 },
        encoding: {
          x,
          y,
          color: { field: 'backend', title: 'backend', scale: { scheme: 'category20' } },
          shape: { field: 'backend' },
        },
      },
    ],
  };
  const bars = summaries(report).map(({ backend, mean }) => {
    const values = ratios(report, backend);
    const all = values.map(({ ratio }) => ratio);
    const [least, most] = [Math.min(...all) / 2.2, Math.max(...all)];
    const bar = {
      field: 'problem',
      type: 'nominal',
      sort: null,
      title: null,
      axis: { labelLimit: 260 },
    } as const;
    return {
      width: WIDTH,
      height: { step: 16 },
      title: `Time of the best peer ÷ time of ${backend} (geometric mean ${mean.toFixed(2)}, line at 1)`,
      data: { values },
      layer: [
        {
          mark: { type: 'bar' },
          encoding: {
            y: bar,
            x: {
              field: 'ratio',
              type: 'quantitative',
              scale: { type: 'log', domain: [Math.min(0.4, least), Math.max(4, most) * 1.6], nice: false },
              title: 'times faster than the best peer (left of 1: slower)',
            },
            x2: { datum: 1 },
            color: { field: 'class', title: 'class', scale: { scheme: 'tableau20' } },
          },
        },
        {
          mark: {
            type: 'text',
            align: { expr: "datum.ratio < 1 ? 'right' : 'left'" },
            dx: { expr: 'datum.ratio < 1 ? -3 : 3' },
            fontSize: 9,
            color: '#444',
          },
          encoding: { y: bar, x: { field: 'ratio', type: 'quantitative' }, text: { field: 'label' } },
          transform: [{ calculate: "format(datum.ratio, '.2f') + ' × ' + datum.peer", as: 'label' }],
        },
        { mark: { type: 'rule', color: '#333' }, encoding: { x: { datum: 1 } } },
      ],
    };
  });
  return {
    background: 'white',
    padding: 16,
    title: {
      text: 'corr2d/bench',
      subtitle: machineLines(report)
        .slice(0, 3)
        .map((line) => shortened(line)),
      anchor: 'start',
    },
    vconcat: [roofline, ...bars],
    resolve: { scale: { color: 'independent', shape: 'independent' } },
    config: { font: 'Helvetica, Arial, sans-serif', view: { stroke: '#ddd' }, legend: { labelLimit: 240 } },
  } as TopLevelSpec;
}

/**
 * A report as an SVG picture: the roofline plot with all results, and a bar for each problem with the ratio to the best peer. Needs
 * the packages `vega` and `vega-lite`, peers that only this function has.
 *
 * @throws MissingPackage, an Error with the code `ERR_MISSING_PACKAGE`
 */
export async function svg(report: Report): Promise<string> {
  const [vega, { compile }] = loadVega();
  const view = new vega.View(vega.parse(compile(specification(report)).spec), {
    renderer: 'none',
    logLevel: vega.Error,
  });
  return view.toSVG();
}

/** The packages that draw. @throws MissingPackage */
export function loadVega(): [typeof import('vega'), typeof import('vega-lite')] {
  try {
    return [loadPackage('vega'), loadPackage('vega-lite')];
  } catch {
    throw new MissingPackage(
      'a picture needs the packages vega and vega-lite: npm install vega@5 vega-lite@5',
    );
  }
}

// npm test: sets up, then runs every check and test. A failing phase does not stop the others; the last line has the sum.
// What passed on the very same files is not repeated, except by `npm test -- --again`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run, tool } from './lib/command.mjs';
import { countCargo, countExit, countVitest } from './lib/count.mjs';
import { writeOnnxCases } from './lib/onnx.mjs';
import { recall, remember, states } from './lib/recall.mjs';
import { ensureBuilt, main, SetupError } from './lib/setup.mjs';
import { wasmProblem } from './lib/wasm-stamp.mjs';

const scratch = mkdtempSync(path.join(tmpdir(), 'corr2d-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const total = { passed: 0, failed: 0 };
const again = process.argv.includes('--again');
// Read once all is built.
let state = { everything: '', rust: '' };

/** Runs one phase: prints a line for it, and its output when something in it failed or nothing in it ran. */
async function phase(name, work) {
  process.stdout.write(`${name} ... `);
  const start = performance.now();
  let { passed, failed, output } = await work().catch((error) => ({
    passed: 0,
    failed: 1,
    output: error.stack,
  }));
  if (passed + failed === 0) {
    failed = 1;
    output += '\nThis phase executed no test.';
  }
  total.passed += passed;
  total.failed += failed;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${passed} passed${failed > 0 ? `, ${failed} FAILED` : ''} (${seconds} s)`);
  if (failed > 0) console.log(`${shortened(output.trimEnd())}\n`);
}

/** A phase that takes long: it is not repeated on the same files, all of them or those of `of`. */
async function longPhase(name, work, of = 'everything') {
  const passed = again ? undefined : recall(name, state[of]);
  if (passed !== undefined) {
    total.passed += passed;
    console.log(`${name} ... ${passed} passed (before, on these files; --again repeats them)`);
    return;
  }
  await phase(name, async () => {
    const result = await work();
    remember(name, state[of], result);
    return result;
  });
}

/** A broken kernel fails thousands of tests: the first ones tell as much as all. */
function shortened(text, limit = 300) {
  const lines = text.split('\n');
  if (lines.length <= limit) return text;
  const half = limit / 2;
  return [
    ...lines.slice(0, half),
    `... ${lines.length - limit} lines left out ...`,
    ...lines.slice(-half),
  ].join('\n');
}

async function check(command) {
  const result = await run(command);
  return { ...countExit(result), output: result.output };
}

async function cargoTests() {
  const result = await run(['cargo', 'test', '--workspace', '--no-fail-fast']);
  return { ...countCargo(result), output: result.output };
}

let reports = 0;

async function vitest(project, env = {}, files = []) {
  reports += 1;
  const file = path.join(scratch, `${reports}.json`);
  const args = [
    'run',
    ...files,
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ];
  const result = await run(tool('vitest', 'vitest', ...args), { env: { NO_COLOR: '1', ...env } });
  let report = null;
  try {
    report = readFileSync(file, 'utf8');
  } catch {
    // Counted as a failure: vitest ended before it could report.
  }
  return { ...countVitest(result, report), output: result.output };
}

/** What the addon says about the machine, in a process of its own, since the instruction set is chosen when it is loaded. */
async function runtimeInfo(env = {}) {
  const program = "process.stdout.write(JSON.stringify(require('./native/binding.cjs').runtimeInfo()))";
  const { code, output } = await run([process.execPath, '-e', program], { env });
  if (code !== 0) throw new Error(`the native addon does not load:\n${output}`);
  return JSON.parse(output);
}

/** Where the choice of algorithms shows: all that is a tier's own beside another of the same vectors with a matrix unit. */
const CHOICES = [
  'vectors',
  'seed',
  'properties',
  'determinism',
  'layers',
  'channels-last',
  'conv-transpose2d',
  'gradients',
  'explain',
  'tuning',
  'runtime',
].map((name) => `test/${name}.test.ts`);

/** One test for each tier that the addon says it can run: that CORR2D_ISA really chooses it. */
async function obeyedTiers(tiers) {
  const wrong = [];
  for (const tier of tiers) {
    const { isa } = await runtimeInfo({ CORR2D_ISA: tier });
    if (isa !== tier) wrong.push(`CORR2D_ISA=${tier} gave the tier ${isa}`);
  }
  return { passed: tiers.length - wrong.length, failed: wrong.length, output: wrong.join('\n') };
}

/** The ONNX standard's node tests on each tier, where Python can write them. */
async function onnxNodeTests(tiers) {
  const cases = path.join(scratch, 'onnx.json');
  const problem = await writeOnnxCases(cases).catch((error) => error);
  if (typeof problem === 'string') {
    console.log(`ONNX node tests ... skipped: ${problem}`);
    return;
  }
  for (const tier of tiers) {
    await phase(`ONNX node tests, ${tier}`, async () => {
      if (problem !== null) throw problem;
      return vitest('onnx', { CORR2D_ISA: tier, CORR2D_ONNX_CASES: cases });
    });
  }
}

/** Has glibc fill what it allocates: results are in memory that is not zeroed, of which every element must be written. */
const GARBAGE = { MALLOC_PERTURB_: '77' };

async function setUp() {
  try {
    await ensureBuilt();
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.log(`${error.output.trimEnd()}\n${error.message}\n`);
    total.failed += 1;
    return false;
  }
}

await main(async () => {
  const ready = await setUp();
  state = await states();

  await phase('cargo fmt', () => check(['cargo', 'fmt', '--all', '--check', '--', '--color=never']));
  const clippy = ['cargo', 'clippy', '--workspace', '--all-targets', '--quiet', '--', '-D', 'warnings'];
  await phase('cargo clippy', () => check(clippy));
  await longPhase('cargo test', cargoTests, 'rust');

  // The rest needs what could not be made: the failure above stands for it.
  if (ready) {
    await phase('biome', () => check(tool('@biomejs/biome', 'biome', 'check', '--error-on-warnings')));
    await phase('tsc', () => check(tool('typescript', 'tsc', '--project', 'tsconfig.json')));
    await phase('tsc, published declarations', () =>
      check(tool('typescript', 'tsc', '--project', 'tsconfig.build.json')),
    );
    await phase('vitest, types', () => vitest('types'));
    let tiers = [];
    await phase('instruction sets', async () => {
      tiers = (await runtimeInfo()).isas;
      return obeyedTiers(tiers);
    });
    for (const tier of tiers) {
      const hasSibling = tiers.some((other) => other.startsWith(`${tier}-`));
      const env = { CORR2D_ISA: tier, ...GARBAGE };
      await longPhase(`vitest, ${tier}`, () => vitest('unit', env, hasSibling ? CHOICES : []));
    }
    await onnxNodeTests(tiers);
    await longPhase('vitest, whole programs', () => vitest('slow'));
    const problem = wasmProblem();
    if (problem) console.log(`vitest, WebAssembly ... skipped: ${problem}`);
    else await longPhase('vitest, WebAssembly', () => vitest('unit', { CORR2D_BACKEND: 'wasm' }));
    await longPhase('vitest, packed tarball', () => vitest('package'));
  }

  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed > 0 ? 1 : 0;
});

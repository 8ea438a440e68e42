// npm run spills: looks into the compiled register tiles for sums that do not stay in registers. Disassembles the benchmark's binary,
// finds the innermost loops that multiply and add, and counts their accesses to the stack, for each tier and tile. Fails if a loop of
// a tile has any. Another target's binary (built with `--profile bench`, for its symbols) and its objdump may be given:
// `npm run spills -- <binary> aarch64-linux-gnu-objdump`. Needs Rust and binutils.
import { execFileSync } from 'node:child_process';
import { benchmarkBinary } from './lib/benchmark-binary.mjs';
import { root } from './lib/command.mjs';

const MOST_OUTPUT = 2 ** 30;
/** Fewer multiply-adds than this are not a tile's loop. */
const LEAST_FMAS = 4;

const call = (program, args, options = {}) =>
  execFileSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: MOST_OUTPUT, ...options });

/** The functions compiled for a tier: its name, the address, and the instructions as `[address, text]`. */
function* kernels(disassembly) {
  for (const block of disassembly.split('\n\n')) {
    const tier = /^[0-9a-f]+ <.*corr2d_simd.*arch.*?(avx512|avx2|neon|scalar).*enter/m.exec(block)?.[1];
    if (!tier) continue;
    const lines = [...block.matchAll(/^\s*([0-9a-f]+):\s*(.*)$/gm)];
    yield { tier, code: lines.map(([, address, text]) => [Number.parseInt(address, 16), text]) };
  }
}

const isFma = (text) => /^(vfn?m(add|sub)\w*p|fml[as])/.test(text);
const usesStack = (text) => /\(%rsp|\[sp\b/.test(text);
const jump = (text) =>
  /^(?:j\w+|b(?:\.\w+)?|cbn?z\s+\w+,|tbn?z\s+\w+,\s*#\w+,)\s+([0-9a-f]+)\b/.exec(text)?.[1];

/** The innermost loops: from the target of a backward jump to the jump, with no other loop inside. */
function loops(code) {
  const [first] = code[0];
  const all = code
    .map(([address, text]) => ({ from: Number.parseInt(jump(text) ?? '', 16), to: address }))
    .filter(({ from, to }) => from >= first && from <= to);
  const inner = all.filter(
    (a) => !all.some((b) => b !== a && b.from >= a.from && b.to <= a.to && b.to !== a.to),
  );
  return inner.map(({ from, to }) => code.filter(([address]) => address >= from && address <= to));
}

const [binary = benchmarkBinary('layers'), objdump = 'objdump'] = process.argv.slice(2);
const found = [];
for (const { tier, code } of kernels(call(objdump, ['--disassemble', '--no-show-raw-insn', binary]))) {
  for (const loop of loops(code)) {
    const texts = loop.map(([, text]) => text);
    const fmas = texts.filter(isFma).length;
    if (fmas >= LEAST_FMAS)
      found.push({
        tier,
        at: loop[0][0],
        code,
        loop: texts.length,
        fmas,
        stack: texts.filter(usesStack).length,
      });
  }
}
if (found.length === 0) throw new Error(`${binary} has no loops of multiply-adds: are its symbols stripped?`);

// One call for all names: the kernel is a type parameter, which only the debug information tells, of the outermost inlined call.
const addresses = found.map(({ at }) => `0x${at.toString(16)}`);
const frames = call('addr2line', [
  '--exe',
  binary,
  '--inlines',
  '--functions',
  '--demangle',
  '--addresses',
  ...addresses,
]);
const names = frames
  .split(/^0x[0-9a-f]+\n/m)
  .slice(1)
  .map((group) => group.trimEnd().split('\n').at(-2));
const rows = found.map((row, i) => {
  const kernel = /<(.*)>/.exec(names[i])?.[1] ?? names[i];
  return { ...row, kernel: kernel.replaceAll('corr2d_kernels::', '') };
});

const isTile = ({ kernel }) => /tile|strip/.test(kernel);
const key = ({ tier, kernel }) => `${tier} ${kernel}`;
const sorted = rows.sort((a, b) => key(a).localeCompare(key(b), 'en', { numeric: true }));
console.log(
  `${'tier'.padEnd(8)}${'kernel'.padEnd(72)}${'loop'.padStart(6)}${'FMAs'.padStart(6)}${'stack'.padStart(7)}`,
);
for (const { tier, kernel, loop, fmas, stack } of sorted) {
  const counts = [loop, fmas, stack].map((count, i) => String(count).padStart(i === 2 ? 7 : 6));
  console.log(`${tier.padEnd(8)}${kernel.padEnd(72)}${counts.join('')}${stack > 0 ? '  <' : ''}`);
}
const spilled = sorted.filter((row) => isTile(row) && row.stack > 0);
console.log(`\n${sorted.length} loops, ${spilled.length} of register tiles with stack accesses`);
process.exitCode = spilled.length > 0 ? 1 : 0;

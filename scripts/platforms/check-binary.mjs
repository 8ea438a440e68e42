// node check-binary.mjs ADDON: what is promised of a published binary: its size, the oldest glibc, no library beyond the system's.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { requirements } from '../lib/elf.mjs';

const [file] = process.argv.slice(2);
const largest = 2_000_000;
const oldestGlibc = 2.28;

const { size } = statSync(file);
const { needed, glibc } = await requirements(file);
console.log(
  `${size} bytes; highest glibc symbol ${glibc ?? 'none'}; needs ${needed.join(', ') || 'no library'}`,
);
assert(size < largest, `expected less than ${largest} bytes, received ${size}`);
// "2.9" is older than "2.28".
const [major, minor] = (glibc ?? '2.0').split('.').map(Number);
const [, oldestMinor] = String(oldestGlibc).split('.').map(Number);
assert(major === 2 && minor <= oldestMinor, `expected glibc ${oldestGlibc} or older, received ${glibc}`);
const system = /^(lib(c|m|dl|pthread|gcc_s)\.so\.\d|libc\.musl-\w+\.so\.1|libc\.so|ld-linux-[\w-]+\.so\.\d)$/;
assert.deepEqual(
  needed.filter((library) => !system.test(library)),
  [],
);

// What long test phases came to on the files as they are: a second `npm test` without changes repeats none of them.
import { readdirSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { root } from './command.mjs';
import { rustFiles, rustVersion } from './rust.mjs';
import { clearStamp, hashOf, readStamp, writeStamp } from './stamp.mjs';

// Made by the tests themselves, or of no consequence to them.
const IGNORED = new Set(['.git', 'node_modules', 'target', 'demo-out', 'coverage']);

const stampOf = (phase) => `passed-${phase.replaceAll(/\W+/g, '-')}`;

/**
 * Hashes over what a test can depend on: files, the compilers, the machine, the settings.
 * @returns {Promise<{ everything: string, rust: string }>} with all files, and with those that the Rust tests are made of
 */
export async function states() {
  const files = readdirSync(root).filter((name) => !IGNORED.has(name));
  const settings = Object.entries(process.env).filter(([name]) => /^(CORR2D_|RUST|CARGO|NAPI_)/.test(name));
  const rust = await rustVersion().catch((error) => error.message);
  const machine = [rust, process.version, os.cpus()[0]?.model, os.cpus().length, settings];
  return { everything: hashOf(files, machine), rust: hashOf(rustFiles, machine) };
}

/** How many tests a phase passed in this state, none failing; undefined when it must run. */
export function recall(phase, state) {
  const [known, passed] = readStamp(stampOf(phase)).split(' ');
  return known === state ? Number(passed) : undefined;
}

/** Remembers that a phase passed; forgets what it came to before when it failed, or ran no test. */
export function remember(phase, state, { passed, failed }) {
  if (failed > 0 || passed === 0) clearStamp(stampOf(phase));
  else writeStamp(stampOf(phase), `${state} ${passed}`);
}

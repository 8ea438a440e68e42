/** What a user reads when no addon loads, and that the ways to choose one work. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { explain, type Machine } from '../../loader/explain.cjs';
import { root } from '../../scripts/lib/command.mjs';

const scratch = mkdtempSync(path.join(tmpdir(), 'corr2d-loader-'));
const modules = path.join(scratch, 'node_modules');
const own = path.join(modules, 'corr2d');
const addon = readdirSync(path.join(root, 'native')).find((name) => name.endsWith('.node')) as string;
const platform = addon.split('.')[1] as string;
const platformPackage = `corr2d-${platform}`;

// The published layout: the package itself holds no binary.
beforeEach(() => {
  rmSync(modules, { recursive: true, force: true });
  mkdirSync(path.join(own, 'native'), { recursive: true });
  cpSync(path.join(root, 'native/binding.cjs'), path.join(own, 'native/binding.cjs'));
  for (const name of ['package.json', 'dist', 'loader']) {
    cpSync(path.join(root, name), path.join(own, name), { recursive: true });
  }
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function addPackage(name: string, write: (file: string) => void): string {
  const folder = path.join(modules, name);
  mkdirSync(folder);
  const main = `corr2d.${name.replace('corr2d-', '')}.node`;
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name, version: '0.1.0', main }));
  write(path.join(folder, main));
  return path.join(folder, main);
}

/** Loads the package in a process of its own: the addon is chosen once for each. */
function load(env: Record<string, string> = {}) {
  const program =
    "try { console.log(require('corr2d').corr2d([[1, 2]], [[1, 1]]).at(0, 0)) } catch (e) { console.log(e.name, e.code, e.message) }";
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
    cwd: scratch,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return stdout + stderr;
}

describe('the loader', () => {
  test('finds the addon in the platform package', () => {
    addPackage(platformPackage, (file) => cpSync(path.join(root, 'native', addon), file));
    expect(load()).toBe('3\n');
  });

  test('finds the addon that NAPI_RS_NATIVE_LIBRARY_PATH names', () => {
    expect(load({ NAPI_RS_NATIVE_LIBRARY_PATH: path.join(root, 'native', addon) })).toBe('3\n');
  });

  test('names both places and the command when there is no addon', () => {
    const text = load();
    expect(text).toMatch(/^Error ERR_NO_BACKEND corr2d could not load its native addon on /);
    expect(text).toContain(`./${addon}`);
    expect(text).toContain(`'${platformPackage}'`);
    expect(text).toContain('npm install --include=optional corr2d');
    expect(text).toMatch(new RegExp(`npm install --os=\\S+ --cpu=\\S+ (--libc=\\S+ )?${platformPackage}\n`));
    expect(text).not.toContain('Require stack');
  });

  test('gives the message of the dynamic linker for a broken file', () => {
    const file = addPackage(platformPackage, (target) => writeFileSync(target, 'not a library'));
    const text = load();
    // "file too short", "invalid ELF header", "not a valid Win32 application": it begins with the path or names it.
    expect(text).toContain(file);
    expect(text).toContain('npm install --force corr2d');
  });

  test('recognises a node_modules from another machine', () => {
    addPackage('corr2d-darwin-arm64', (file) => writeFileSync(file, ''));
    const text = load();
    expect(text).toContain('node_modules holds corr2d-darwin-arm64, for another platform');
    expect(text).toMatch(/npm install --os=\S+ --cpu=\S+ (--libc=\S+ )?corr2d\n/);
  });

  test('names a wrong override', () => {
    const override = path.join(scratch, 'nowhere.node');
    const text = load({ NAPI_RS_NATIVE_LIBRARY_PATH: override });
    expect(text).toContain(`Cannot find module '${override}'`);
    expect(text).toContain(`unset NAPI_RS_NATIVE_LIBRARY_PATH, which is "${override}"`);
  });
});

describe('the explanation', () => {
  const machine: Machine = {
    platform: 'linux',
    arch: 'x64',
    libc: 'glibc',
    glibcVersion: '2.17',
    node: '22.0.0',
    override: undefined,
    installed: [],
  };
  const missing = new Error('…', { cause: new Error("Cannot find module 'corr2d-linux-x64-gnu'") });

  test.each<[string, Partial<Machine>, string, string]>([
    [
      'an old glibc',
      { installed: ['corr2d-linux-x64-gnu'] },
      "libm.so.6: version `GLIBC_2.27' not found (required by x.node)",
      'use a system with glibc 2.28 or newer, this one has 2.17',
    ],
    ['an old Node', { node: '18.20.0' }, 'x', 'use Node 20 or newer, this is 18.20.0'],
    ['a CPU without a binary', { arch: 'riscv64' }, 'x', 'linux-arm64'],
    ['a platform without a binary', { platform: 'freebsd', libc: '' }, 'x', 'CORR2D_BACKEND=wasm'],
    [
      'the wrong C library',
      { libc: 'musl', glibcVersion: undefined, installed: ['corr2d-linux-x64-gnu'] },
      'x',
      'npm install --os=linux --cpu=x64 --libc=musl corr2d',
    ],
    [
      'macOS',
      { platform: 'darwin', arch: 'arm64', libc: '' },
      'x',
      'npm install --os=darwin --cpu=arm64 corr2d-darwin-arm64',
    ],
    [
      'Windows',
      { platform: 'win32', libc: '' },
      'x',
      'npm install --os=win32 --cpu=x64 corr2d-win32-x64-msvc',
    ],
  ])('has a remedy for %s', (_, changes, reason, remedy) => {
    const { message } = explain(new Error('…', { cause: new Error(reason) }), { ...machine, ...changes });
    expect(message).toContain(reason);
    expect(message).toContain(remedy);
  });

  test('lists the attempts in their order and keeps the cause', () => {
    const first = new Error("Cannot find module './corr2d.linux-x64-gnu.node'\nRequire stack:\n- a.js");
    const chain = new Error('…', { cause: new Error(missing.cause?.toString(), { cause: first }) });
    const error = explain(chain, machine);
    expect(error.cause).toBe(chain);
    expect(error.message).toMatch(/Tried:\n {2}- .*'\.\/corr2d.*\n {2}- .*'corr2d-linux.*\nWhat to do:/);
  });

  test('knows every platform that there is a package for', () => {
    for (const name of readdirSync(path.join(root, 'npm'), { withFileTypes: true })) {
      if (!name.isDirectory()) continue;
      const [os, arch, abi] = name.name.split('-') as [string, string, string | undefined];
      const libc = { gnu: 'glibc', musl: 'musl' }[abi ?? ''] ?? '';
      const { message } = explain(missing, { ...machine, platform: os, arch, libc });
      expect(message).toMatch(new RegExp(` corr2d-${name.name}\n`));
    }
  });
});

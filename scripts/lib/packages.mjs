// Lays out the packages of a release: the root package without a binary, and one package for each platform's binary.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { npm, root, run } from './command.mjs';

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const write = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
const licences = ['LICENSE-MIT', 'LICENSE-APACHE'];
const manifest = read(path.join(root, 'package.json'));

/** `linux-x64-gnu` and the others, from the folders of npm/. */
export const platforms = readdirSync(path.join(root, 'npm'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

/** `corr2d.linux-x64-gnu.node`: what napi-rs calls the addon. */
export const binaryName = (platform) => `${manifest.napi.binaryName}.${platform}.node`;

function copy(names, from, to) {
  mkdirSync(to, { recursive: true });
  for (const name of names) cpSync(path.join(from, name), path.join(to, name), { recursive: true });
}

function stageRoot(folder) {
  const isBinary = (pattern) => pattern.endsWith('.node');
  const files = manifest.files.filter((pattern) => !isBinary(pattern));
  copy(
    ['README.md', ...files].filter((name) => existsSync(path.join(root, name))),
    root,
    folder,
  );
  // What only the repository needs stays there; without scripts an installation can't run any.
  const { scripts, devDependencies, overrides, napi, ...published } = manifest;
  const optionalDependencies = Object.fromEntries(
    platforms.map((platform) => [`${napi.packageName}-${platform}`, manifest.version]),
  );
  write(path.join(folder, 'package.json'), { ...published, files, optionalDependencies });
}

function stagePlatform(platform, binary, folder) {
  const source = path.join(root, 'npm', platform);
  copy(['README.md'], source, folder);
  copy(licences, root, folder);
  const { files, ...rest } = read(path.join(source, 'package.json'));
  write(path.join(folder, 'package.json'), {
    ...rest,
    version: manifest.version,
    // yarn keeps packages zipped unless they say otherwise, and no system loads a library from an archive.
    preferUnplugged: true,
    files: [...files, ...licences],
  });
  if (binary) cpSync(binary, path.join(folder, binaryName(platform)));
}

/**
 * Writes `<target>/corr2d` and `<target>/corr2d-<platform>` for each platform whose binary is in one of `folders`.
 * @param {string[]} folders where binaries lie
 * @param {string} target
 * @param {{ withEmpty?: boolean }} [options] withEmpty: also the other platforms' packages, without a binary: for a registry
 *   of tests, since yarn asks for every manifest
 * @returns {{ name: string, folder: string, platform: string | null, isEmpty: boolean }[]} the root package last, as they are to be published
 */
export function stagePackages(folders, target, { withEmpty = false } = {}) {
  rmSync(target, { recursive: true, force: true });
  const staged = [];
  for (const platform of platforms) {
    const binary = folders.map((folder) => path.join(folder, binaryName(platform))).find(existsSync);
    if (!binary && !withEmpty) continue;
    const name = `${manifest.napi.packageName}-${platform}`;
    const folder = path.join(target, name);
    stagePlatform(platform, binary, folder);
    staged.push({ name, folder, platform, isEmpty: !binary });
  }
  const folder = path.join(target, manifest.name);
  stageRoot(folder);
  staged.push({ name: manifest.name, folder, platform: null, isEmpty: false });
  return staged;
}

/**
 * Packs a staged package.
 * @returns {Promise<{ file: string, size: number, unpackedSize: number, files: string[] }>}
 */
export async function pack(folder, target) {
  mkdirSync(target, { recursive: true });
  const { code, output } = await run(
    npm('pack', folder, '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', target),
  );
  if (code !== 0) throw new Error(`npm pack ${folder} failed:\n${output}`);
  const [packed] = JSON.parse(output);
  const { size, unpackedSize } = packed;
  return {
    file: path.join(target, packed.filename),
    size,
    unpackedSize,
    files: packed.files.map((file) => file.path),
  };
}

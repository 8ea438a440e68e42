// npm run release -- [--dry-run] [--binaries FOLDER]: publishes the packages, from the binaries that lie in FOLDER.
//
// The steps are those of .github/workflows/release.yml, where every platform's binary is built on a runner first. --dry-run does all of
// it against a registry of its own on loopback, with the binaries that this machine has, and says which are missing.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { npm, root, run } from './lib/command.mjs';
import { pack, platforms, stagePackages } from './lib/packages.mjs';
import { startRegistry } from './lib/registry.mjs';
import { ensureBuilt, main } from './lib/setup.mjs';

const options = process.argv.slice(2);
const isDry = options.includes('--dry-run');
const place = options.indexOf('--binaries');
const given = place < 0 ? undefined : path.resolve(options[place + 1] ?? '');
const release = path.join(root, 'target/release-packages');

async function must(command, settings) {
  const { code, output } = await run(command, settings);
  if (code !== 0) throw new Error(`${command.join(' ')} failed:\n${output}`);
  return output;
}

/** What the packages are made of: the crates in the binaries, in CycloneDX's format. The npm packages have no dependency but each other. */
async function billOfMaterials(version) {
  const metadata = JSON.parse(
    await must(['cargo', 'metadata', '--format-version', '1', '--locked', '--offline']),
  );
  const nodes = new Map(metadata.resolve.nodes.map((node) => [node.id, node]));
  const wanted = new Set();
  const queue = metadata.packages.filter(({ name }) => name === 'corr2d-node').map(({ id }) => id);
  while (queue.length > 0) {
    const id = queue.pop();
    if (wanted.has(id)) continue;
    wanted.add(id);
    // Dependencies of the build and of tests are not in the binary.
    const normal = nodes
      .get(id)
      .deps.filter(({ dep_kinds: kinds }) => kinds.some(({ kind }) => kind === null));
    queue.push(...normal.map(({ pkg }) => pkg));
  }
  const components = metadata.packages
    .filter(({ id }) => wanted.has(id))
    .map(({ name, version: of, license }) => ({
      type: 'library',
      name,
      version: of,
      purl: `pkg:cargo/${name}@${of}`,
      licenses: license ? [{ expression: license.replaceAll('/', ' OR ') }] : [],
    }));
  const component = { type: 'library', name: 'corr2d', version, purl: `pkg:npm/corr2d@${version}` };
  return { bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata: { component }, components };
}

const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

await main(async () => {
  await ensureBuilt();
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const made = path.join(root, 'target/platforms');
  const local = ['linux-x64', 'linux-arm64', 'linux-x64-musl'].map((name) => path.join(made, name, 'native'));
  const folders = given ? [given] : [...local, path.join(root, 'native')];
  const staged = stagePackages(folders, path.join(release, 'staged'));
  const missing = platforms.filter((platform) => !staged.some((one) => one.platform === platform));
  if (missing.length > 0) {
    console.log(`no binary for ${missing.join(', ')}`);
    if (!isDry) return 1;
  }
  const wasm = path.join(staged.at(-1).folder, 'wasm');
  const modules = (() => {
    try {
      return readdirSync(wasm).filter((name) => name.endsWith('.wasm'));
    } catch {
      return [];
    }
  })();
  if (modules.length < 2) {
    console.log('the WebAssembly modules are missing (scripts/build-wasm.sh)');
    if (!isDry) return 1;
  }

  const tarballs = path.join(release, 'tarballs');
  rmSync(tarballs, { recursive: true, force: true });
  mkdirSync(tarballs, { recursive: true });
  const sums = [];
  for (const { name, folder } of staged) {
    const { file, size, unpackedSize } = await pack(folder, tarballs);
    sums.push(`${sha256(file)}  ${path.basename(file)}`);
    console.log(`${name}: ${size} bytes packed, ${unpackedSize} unpacked`);
  }
  const bom = path.join(tarballs, 'corr2d.cdx.json');
  writeFileSync(bom, `${JSON.stringify(await billOfMaterials(version), null, 2)}\n`);
  sums.push(`${sha256(bom)}  ${path.basename(bom)}`);
  writeFileSync(path.join(tarballs, 'SHA256SUMS'), `${sums.join('\n')}\n`);
  console.log(`${path.relative(root, tarballs)}: tarballs, corr2d.cdx.json, SHA256SUMS`);

  if (!isDry) {
    // The root package last: until then nobody asks for the others. Provenance needs the token of a workflow.
    for (const { name, folder } of staged) {
      await must(npm('publish', folder, '--access', 'public', '--provenance', '--ignore-scripts'));
      console.log(`published ${name}@${version}`);
    }
    return 0;
  }
  const registry = await startRegistry(
    path.join(root, 'target/install-tools'),
    path.join(release, 'registry'),
  );
  try {
    for (const { name, folder } of staged) {
      await registry.publish(folder);
      const answer = await fetch(`${registry.address}${name}/${version}`);
      if (!answer.ok) throw new Error(`${name}@${version} is not in the registry: ${answer.status}`);
      console.log(`published ${name}@${version} to the registry on loopback`);
    }
  } finally {
    await registry.stop();
    rmSync(path.join(release, 'registry'), { recursive: true, force: true });
  }
  console.log('dry run: complete');
  return 0;
});

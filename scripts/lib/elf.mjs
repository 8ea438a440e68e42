// What a Linux binary asks of the system that loads it.
import { run } from './command.mjs';

const byVersion = (a, b) => a.localeCompare(b, undefined, { numeric: true });

/**
 * The libraries that it needs, and the highest version of glibc's symbols among those it uses (undefined: none).
 * @param {string} file
 * @returns {Promise<{ needed: string[], glibc: string | undefined }>}
 */
export async function requirements(file) {
  const { code, output } = await run(['readelf', '--dynamic', '--version-info', '--wide', file]);
  if (code !== 0) throw new Error(output);
  const needed = [...output.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map((match) => match[1]).sort();
  const versions = [...output.matchAll(/\bGLIBC_([\d.]+)/g)].map((match) => match[1]);
  return { needed, glibc: versions.sort(byVersion).at(-1) };
}

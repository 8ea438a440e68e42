/** Packages that are nobody's dependency: found from the program's folder or from this package's, or missing. */
// Not by its name: programs that are bundled may have one of their own.
import nodeModule from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { MissingBackend } from './backend.ts';

/** Thrown where a package is missing without which there is no benchmark at all, or no picture. */
export class MissingPackage extends Error {
  readonly code = 'ERR_MISSING_PACKAGE';
}

/** Where a package's main file is. */
function find(name: string): string | undefined {
  for (const from of [path.join(process.cwd(), 'from-here.js'), import.meta.url]) {
    try {
      return nodeModule.createRequire(from).resolve(name);
    } catch {
      // Not from there.
    }
  }
  return undefined;
}

/** The file that a name stands for. @throws MissingBackend */
export function locate(name: string): string {
  const file = find(name);
  if (file === undefined) throw new MissingBackend(`the package ${name} is not installed`);
  return file;
}

/** The CommonJS package of that name. @throws MissingBackend */
export function loadPackage<T>(name: string): T {
  const file = locate(name);
  return nodeModule.createRequire(pathToFileURL(file))(file) as T;
}

/** The version of a package that is installed. */
export function versionOf(name: string): string {
  try {
    return loadPackage<{ version: string }>(`${name}/package.json`).version;
  } catch {
    return 'unknown';
  }
}

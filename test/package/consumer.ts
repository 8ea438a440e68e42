/** A folder outside the repository into which the package is installed from its tarball. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { npm, root } from '../../scripts/lib/command.mjs';

type Command = readonly [string, ...string[]];

/** Runs a program; a failure carries what it wrote. */
export function run([program, ...args]: Command, cwd: string, env: Record<string, string> = {}): string {
  try {
    return execFileSync(program, args, {
      cwd,
      encoding: 'utf8',
      stdio: 'pipe',
      env: { ...process.env, ...env },
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  }
}

export class Consumer {
  /** The folder, with the programs of `consumer/` in it. */
  readonly folder: string = mkdtempSync(path.join(tmpdir(), 'corr2d-consumer-'));
  /** Path of the tarball. */
  readonly tarball: string;
  /** What is in it. */
  readonly packedFiles: readonly string[];

  /** Packs the repository as it is and installs it. */
  constructor() {
    const packed = run(npm('pack', '--json', '--ignore-scripts', '--pack-destination', this.folder), root);
    const [description] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
    this.packedFiles = description.files.map((file) => file.path);
    this.tarball = path.join(this.folder, description.filename);
    cpSync(fileURLToPath(new URL('consumer', import.meta.url)), this.folder, { recursive: true });
    this.run(npm('install', '--offline', '--no-audit', '--no-fund', `./${description.filename}`));
  }

  /** Runs a program in the folder. */
  run(command: Command, env?: Record<string, string>): string {
    return run(command, this.folder, env);
  }

  /** Runs Node in the folder. */
  node(...args: string[]): string {
    return this.run([process.execPath, ...args]);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

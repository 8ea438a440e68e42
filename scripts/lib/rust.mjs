// What the addon and the Rust tests are made of.
import { run } from './command.mjs';

/** Their files. */
export const rustFiles = ['crates', 'Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml', '.cargo'];

let version;

/** What the compiler says of itself, asked once; throws its output when there is none that runs. */
export function rustVersion() {
  version ??= run(['rustc', '--version', '--verbose']).then(({ code, output }) => {
    if (code !== 0) throw new Error(output);
    return output;
  });
  return version;
}

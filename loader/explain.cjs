// Says why no addon loads: what was tried, the reason of each, and the commands that mend it.
'use strict';

const { readdirSync } = require('node:fs');
const path = require('node:path');

// The platforms that there is a package for: `napi.targets` of package.json, in Node's words.
const LIBCS = {
  'linux-x64': { glibc: 'gnu', musl: 'musl' },
  'linux-arm64': { glibc: 'gnu', musl: 'musl' },
  'darwin-x64': { '': '' },
  'darwin-arm64': { '': '' },
  'win32-x64': { '': 'msvc' },
  'win32-arm64': { '': 'msvc' },
};
const OLDEST_NODE = 20;
const OLDEST_GLIBC = '2.28';

/** `corr2d-linux-x64-gnu`, or undefined where there is no package. */
function packageFor({ platform, arch, libc }) {
  const suffix = LIBCS[`${platform}-${arch}`]?.[libc];
  if (suffix === undefined) return undefined;
  return ['corr2d', platform, arch, suffix].filter(Boolean).join('-');
}

function readMachine() {
  const { platform, arch } = process;
  const report = platform === 'linux' ? process.report?.getReport() : undefined;
  const glibcVersion = report?.header?.glibcVersionRuntime;
  const libc = platform !== 'linux' ? '' : glibcVersion ? 'glibc' : 'musl';
  let installed = [];
  try {
    // Flat and linked node_modules alike have a package's dependencies beside it.
    installed = readdirSync(path.join(__dirname, '../..')).filter((name) =>
      /^corr2d-(linux|darwin|win32)-/.test(name),
    );
  } catch {
    // In a bundle or an archive there is no such folder.
  }
  const override = process.env.NAPI_RS_NATIVE_LIBRARY_PATH;
  return { platform, arch, libc, glibcVersion, node: process.versions.node, override, installed };
}

/** The messages of an error's causes in the order of the attempts. */
function reasonsOf(error) {
  const reasons = [];
  for (let cause = error?.cause; cause; cause = cause.cause) {
    // The rest of Node's message is the stack of requires, all of them ours.
    reasons.unshift(String(cause.message).split('\nRequire stack:')[0].trim());
  }
  return reasons.length > 0 ? reasons : [String(error?.message ?? error)];
}

function install(packageName, { platform, arch, libc }) {
  const flags = [`--os=${platform}`, `--cpu=${arch}`, libc && `--libc=${libc}`].filter(Boolean);
  return `npm install ${flags.join(' ')} ${packageName}`;
}

const WASM = 'without a binary, slower, on one thread: set the environment variable CORR2D_BACKEND=wasm';

/** What may mend it, the likeliest first. */
function remedies(reasons, machine) {
  const { platform, arch, libc, glibcVersion, node, override, installed } = machine;
  if (Number.parseInt(node, 10) < OLDEST_NODE) {
    return [`use Node ${OLDEST_NODE} or newer, this is ${node}`];
  }
  if (override) return [`correct or unset NAPI_RS_NATIVE_LIBRARY_PATH, which is "${override}"`];
  const wanted = packageFor(machine);
  if (wanted === undefined) {
    const names = Object.keys(LIBCS).join(', ');
    return [`there are binaries for ${names} only, this is ${platform}-${arch}`, WASM];
  }
  const text = reasons.join('\n');
  if (/version [`'"]GLIBC_/.test(text)) {
    return [
      `use a system with glibc ${OLDEST_GLIBC} or newer, this one has ${glibcVersion ?? 'an older one'}`,
      WASM,
    ];
  }
  if (installed.includes(wanted)) {
    return [`${wanted} is there but does not load, so install it anew: npm install --force corr2d`, WASM];
  }
  const answers = [];
  if (installed.length > 0) {
    const others = installed.join(', ');
    answers.push(
      `node_modules holds ${others}, for another platform or C library (this is ${[platform, arch, libc].filter(Boolean).join(' ')}). ` +
        'Install on the machine that runs the program, or for it: ' +
        install('corr2d', machine),
    );
  }
  answers.push(
    'make sure that optional dependencies are installed (no --omit=optional, no --no-optional): npm install --include=optional corr2d',
    'if package-lock.json was written on another platform, write it anew: remove package-lock.json and node_modules, then npm install',
    `or add the package of this platform by its name: ${install(wanted, machine)}`,
    WASM,
  );
  return answers;
}

exports.explain = function explain(error, machine = readMachine()) {
  const { platform, arch, libc } = machine;
  const reasons = reasonsOf(error);
  const lines = [
    `corr2d could not load its native addon on ${[platform, arch, libc].filter(Boolean).join(' ')} with Node ${machine.node}.`,
    'Tried:',
    ...reasons.map((reason) => `  - ${reason.replaceAll('\n', '\n    ')}`),
    'What to do:',
    ...remedies(reasons, machine).map((remedy) => `  - ${remedy}`),
  ];
  return Object.assign(new Error(lines.join('\n'), { cause: error }), { code: 'ERR_NO_BACKEND' });
};

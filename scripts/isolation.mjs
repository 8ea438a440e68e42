// node scripts/isolation.mjs [ROUNDS]: loads, shares and tears down the addon in all the ways that a server does, each way ROUNDS times
// (100), and ends with `N passed, N failed`. Every process must end with the exit code that it asks for and compute right until then.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './lib/command.mjs';
import { ensureBuilt, main } from './lib/setup.mjs';

const rounds = Number(process.argv[2] ?? 100);
const library = path.join(root, 'dist/index.cjs');
const scratch = mkdtempSync(path.join(tmpdir(), 'corr2d-isolation-'));

/** What each program begins with: the library, a call with a known result, and a call of seconds. */
const prelude = `
  const { Conv2D, corr2d, info, Tensor } = require(${JSON.stringify(library)});
  const right = () => {
    if (corr2d([[1, 2], [3, 4]], [[1, 1], [1, 1]]).at(0, 0) !== 10) process.exit(9);
  };
  const busy = (images = 64) => {
    const layer = new Conv2D({ inChannels: 64, outChannels: 64, kernelSize: 3, padding: 1, seed: 1 });
    return layer.forwardAsync(Tensor.ones([images, 64, 56, 56]));
  };
  right();
`;
const inWorker = (body) => `new Worker(${JSON.stringify(prelude + body)}, { eval: true })`;
const workers = "const { Worker } = require('node:worker_threads'); const { once } = require('node:events');";

/** A copy of the built package elsewhere, as two dependencies of a program may each have one. */
function secondCopy() {
  const copy = path.join(scratch, 'copy');
  if (existsSync(copy)) return path.join(copy, 'dist/index.cjs');
  mkdirSync(copy);
  for (const name of ['dist', 'loader', 'native', 'package.json'])
    cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  return path.join(copy, 'dist/index.cjs');
}

function file(name, text) {
  const target = path.join(scratch, name);
  writeFileSync(target, text);
  return target;
}

/** Each way: the command, and the exit code and text that are right. */
const ways = {
  '200 workers one after the other': {
    program: `${workers} (async () => {
      for (let i = 0; i < 200; i++) {
        const [code] = await once(${inWorker('')}, 'exit');
        if (code !== 0) process.exit(8);
      }
      console.log('done');
    })();`,
    output: 'done',
  },
  '8 workers at once': {
    program: `${workers} Promise.all(Array.from({ length: 8 }, () => once(${inWorker('busy(2).then(right)')}, 'exit')))
      .then((codes) => { if (codes.some(([code]) => code !== 0)) process.exit(8); console.log('done'); });`,
    output: 'done',
  },
  'a worker terminated while busy': {
    program: `${workers} (async () => {
      const worker = ${inWorker("busy(); require('node:worker_threads').parentPort.postMessage('started')")};
      await once(worker, 'message');
      await worker.terminate();
      ${prelude} console.log('done');
    })();`,
    output: 'done',
  },
  'process.exit while busy': {
    program: `${prelude} busy(); setTimeout(() => process.exit(7), 20);`,
    code: 7,
  },
  'process.exit at once': { program: `${prelude} busy(); busy(); process.exit(0);` },
  'the end while a worker is busy': {
    program: `${workers} const worker = ${inWorker("busy(); require('node:worker_threads').parentPort.postMessage('started')")};
      worker.on('message', () => process.exit(3));`,
    code: 3,
  },
  'two copies in one process': {
    program: () => `${prelude} const other = require(${JSON.stringify(secondCopy())});
      if (other.corr2d([[1, 2]], [[1, 1]]).at(0, 0) !== 3) process.exit(8);
      Promise.all([busy(2), other.conv2d(other.Tensor.ones([1, 1, 9, 9]), other.Tensor.ones([1, 1, 3, 3]))]).then(() => console.log('done'));`,
    output: 'done',
  },
  'child_process.fork': {
    program:
      () => `${prelude} const child = require('node:child_process').fork(${JSON.stringify(file('child.cjs', `${prelude} busy(1).then(() => process.exit(0));`))});
      child.on('exit', (code) => { right(); if (code !== 0) process.exit(8); console.log('done'); });`,
    output: 'done',
  },
  cluster: {
    program: () =>
      file(
        'cluster.cjs',
        `const cluster = require('node:cluster');
      ${prelude}
      if (cluster.isPrimary) {
        let left = 2;
        for (let i = 0; i < 2; i++) cluster.fork();
        cluster.on('exit', (_, code) => { if (code !== 0) process.exit(8); if (--left === 0) console.log('done'); });
      } else busy(1).then(() => process.exit(0));`,
      ),
    isFile: true,
    output: 'done',
  },
  'taskset to one CPU': {
    prefix: ['taskset', '--cpu-list', '0'],
    program: `${prelude} if (info().threads !== 1) process.exit(8); busy(1).then(() => console.log('done'));`,
    output: 'done',
  },
  CORR2D_THREADS: {
    env: { CORR2D_THREADS: '3' },
    program: `${prelude} if (info().threads !== 3) process.exit(8); console.log('done');`,
    output: 'done',
  },
};

function start(way) {
  const program = typeof way.program === 'function' ? way.program() : way.program;
  const command = [...(way.prefix ?? []), process.execPath, ...(way.isFile ? [program] : ['-e', program])];
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      env: { ...process.env, ...way.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), 300_000);
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', (error) => resolve({ problem: error.code === 'ENOENT' ? 'absent' : String(error) }));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const isRight = code === (way.code ?? 0) && (way.output === undefined || output.trim() === way.output);
      resolve({ problem: isRight ? '' : `ended with ${signal ?? code}:\n${output}` });
    });
  });
}

/**
 * A control group of this script's own with a quota of one CPU: its folder, or undefined where the system does not let it make one.
 * Version 2 keeps all of a group in one hierarchy; version 1 has one for the CPU, which older systems and many containers still show.
 */
function quotaGroup() {
  const hierarchies = [
    { groups: '/sys/fs/cgroup', limit: 'cpu.max', quota: '100000 100000' },
    { groups: '/sys/fs/cgroup/cpu', limit: 'cpu.cfs_quota_us', quota: '100000' },
  ];
  for (const { groups, limit, quota } of hierarchies) {
    const group = path.join(groups, `corr2d-${process.pid}`);
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    try {
      // Where the controller is off the file does not exist, and must not be made: a plain folder takes any file.
      writeFileSync(path.join(group, limit), quota, { flag: 'r+' });
      return group;
    } catch {
      rmdirSync(group);
    }
  }
  return undefined;
}

await main(async () => {
  await ensureBuilt();
  let [passed, failed] = [0, 0];
  const group = quotaGroup();
  if (group && availableParallelism() > 1) {
    const move = `echo $$ > ${path.join(group, 'cgroup.procs')} && exec "$0" "$@"`;
    ways['a quota of one CPU'] = { ...ways['taskset to one CPU'], prefix: ['/bin/sh', '-c', move] };
  } else {
    console.log('a quota of one CPU ... skipped: no control group can be made here');
  }
  for (const [name, way] of Object.entries(ways)) {
    process.stdout.write(`${name} ... `);
    let problem = '';
    for (let i = 0; i < rounds && !problem; i++) ({ problem } = await start(way));
    if (problem === 'absent') console.log(`skipped: no ${way.prefix[0]} here`);
    else if (problem) {
      failed++;
      console.log(`FAILED\n${problem}`);
    } else {
      passed++;
      console.log(`ok, ${rounds} rounds`);
    }
  }
  if (group) {
    try {
      // A group is a folder that only rmdir takes away; its last process may still be ending.
      rmdirSync(group);
    } catch (error) {
      console.log(`the control group is left: ${error.message}`);
    }
  }
  rmSync(scratch, { recursive: true, force: true });
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
});

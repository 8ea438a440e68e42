// Runs bundled test files and sums them up: an ES module for Node, Bun, Deno and browsers alike.
import { startTests } from '@vitest/runner';

// An emulator takes many times as long.
const seconds = process.env.CORR2D_TEST_EMULATED ? 240 : 120;

function walk(task, visit, names = []) {
  const path = [...names, task.name];
  if (task.type === 'test') visit(task, path.join(' > '));
  else for (const child of task.tasks) walk(child, visit, path);
}

/**
 * @param {{ name: string, load: () => Promise<unknown> }[]} files the test files and how to load them
 * @param {(line: string) => void} print
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
export async function runFiles(files, print) {
  const loaders = new Map(files.map(({ name, load }) => [name, load]));
  const runner = {
    config: {
      root: '/',
      setupFiles: [],
      passWithNoTests: false,
      includeTaskLocation: false,
      sequence: { shuffle: false, concurrent: false, seed: 1, hooks: 'stack', setupFiles: 'list' },
      maxConcurrency: 1,
      testTimeout: seconds * 1000,
      hookTimeout: seconds * 1000,
      retry: 0,
      tags: [],
      tagsFilter: undefined,
      strictTags: false,
    },
    importFile: (name) => loaders.get(name.replace(/^\//, ''))(),
  };
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { name } of files) {
    const [file] = await startTests([{ filepath: `/${name}`, testLocations: undefined }], runner);
    let ran = 0;
    walk(file, (test, path) => {
      const state = test.result?.state;
      if (state === 'pass') total.passed++;
      else if (test.mode === 'skip' || test.mode === 'todo' || state === 'skip') total.skipped++;
      else {
        total.failed++;
        print(`FAILED ${path}\n  ${test.result?.errors?.map((error) => error.message).join('\n  ')}`);
      }
      ran++;
    });
    // A file that does not load, or holds no test, has failed too.
    if (ran === 0 || (file.result?.state === 'fail' && total.failed === 0)) {
      total.failed++;
      print(
        `FAILED ${name}\n  ${file.result?.errors?.map((error) => error.stack ?? error.message).join('\n  ')}`,
      );
    }
  }
  print(`portable: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total;
}

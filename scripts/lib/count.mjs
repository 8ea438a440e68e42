// Reads from a test runner's report how many tests passed and failed.

/** One program that either succeeds or does not. */
export function countExit({ code }) {
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** The sum of the `test result:` lines of `cargo test`; a crate that does not compile has none and counts as a failure. */
export function countCargo({ code, output }) {
  let passed = 0;
  let failed = 0;
  for (const match of output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)) {
    passed += Number(match[1]);
    failed += Number(match[2]);
  }
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed };
}

/**
 * The numbers of vitest's JSON report.
 * @param {{ code: number }} result of the vitest process
 * @param {string | null} report the text of the report, or null when there is none
 */
export function countVitest({ code }, report) {
  if (report === null) return { passed: 0, failed: 1 };
  const { numPassedTests: passed, numFailedTests, testResults } = JSON.parse(report);
  // A file that throws while it is loaded, or in a hook, has failed without a failed test.
  const broken = testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = numFailedTests + broken;
  // An error outside any test (an unhandled rejection, a crashed worker) shows in the exit code only.
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed };
}

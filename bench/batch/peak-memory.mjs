/**
 * Preloaded into a program (`node --import`): says on its third channel how much memory it had at most, its CPU seconds, and those of
 * corr2d's own threads where the system tells (Linux).
 */
import { readdirSync, readFileSync, writeSync } from 'node:fs';

/** CPU seconds of the threads whose name begins so. */
function threadSeconds(name) {
  // <proc/pid/stat>: user and system time, in hundredths of a second, are the 12th and 13th after the name in brackets.
  const times = readdirSync('/proc/self/task').map((thread) => {
    const [, comm, rest] = /^\d+ \((.*)\) (.*)/.exec(readFileSync(`/proc/self/task/${thread}/stat`, 'utf8'));
    const fields = rest.split(' ');
    return comm.startsWith(name) ? (Number(fields[11]) + Number(fields[12])) / 100 : 0;
  });
  return times.reduce((a, b) => a + b, 0);
}

process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const own = process.platform === 'linux' ? threadSeconds('corr2d-') : undefined;
  writeSync(3, JSON.stringify({ peak: maxRSS * 1024, cpu: (userCPUTime + systemCPUTime) / 1e6, own }));
});

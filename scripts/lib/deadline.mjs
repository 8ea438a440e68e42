// Ends a program that hangs, with all that it started: a test worker in an endless loop would outlive its runner.
import { spawnSync } from 'node:child_process';

const windows = process.platform === 'win32';

/** Spawn options under which `deadline` can end a program's children as well. */
export const ownGroup = { detached: !windows };

function endTree(child) {
  if (child.pid === undefined) return;
  if (windows) {
    spawnSync('taskkill', ['/pid', String(child.pid), '/t', '/f']);
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself in the meantime.
  }
}

/**
 * Ends `child` (spawned with `ownGroup`) after `minutes`, or with this process when that is interrupted.
 * @returns {() => boolean} to be called when the child has ended: whether it was too late
 */
export function deadline(child, minutes) {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endTree(child);
  }, minutes * 60_000);
  // The terminal's Ctrl+C does not reach a process group of its own.
  const interrupt = () => {
    endTree(child);
    process.exit(130);
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return () => {
    clearTimeout(timer);
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    return late;
  };
}

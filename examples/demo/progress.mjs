// A progress bar on a terminal, and one line for each finished piece anywhere else.
import { SingleBar } from 'cli-progress';

/** Starts a progress display for `total` pieces; `step(text)` tells of each finished one. */
export function startProgress(total) {
  if (!process.stdout.isTTY) {
    let done = 0;
    return {
      step: (text) => console.log(`  ${String(++done).padStart(2)}/${total} ${text}`),
      stop: () => {},
    };
  }
  const bar = new SingleBar({ format: '  {bar} {value}/{total} {text}', hideCursor: true });
  bar.start(total, 0, { text: '' });
  return { step: (text) => bar.increment({ text }), stop: () => bar.stop() };
}

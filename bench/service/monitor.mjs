/** Preloaded into the service (`node --import`): answers its parent's messages with what its process looks like from inside. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

// The timer that measures fires every `resolution` milliseconds: what is over that is lag.
const resolution = 1;
const delay = monitorEventLoopDelay({ resolution });
delay.enable();

process.on('message', (message) => {
  if (message === 'reset') delay.reset();
  const lag = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - resolution);
  const { userCPUTime, systemCPUTime, involuntaryContextSwitches } = process.resourceUsage();
  process.send({
    lag: { p50: lag(delay.percentile(50)), p99: lag(delay.percentile(99)), max: lag(delay.max) },
    rss: process.memoryUsage.rss(),
    cpu: (userCPUTime + systemCPUTime) / 1e6,
    switches: involuntaryContextSwitches,
  });
});
// The service ends when it likes, whether or not someone listens.
process.channel.unref();

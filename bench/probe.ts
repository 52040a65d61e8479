/** Loaded before a program under measure: tells its parent, when asked, what it has used since it was last asked. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import type { Usage } from './rounds.ts';

const RESOLUTION_MS = 10;

if (isMainThread && process.send) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let [before, threadBefore] = [process.cpuUsage(), process.threadCpuUsage()];
  process.on('message', (message) => {
    if (message !== 'usage') return;
    const [cpu, thread] = [process.cpuUsage(before), process.threadCpuUsage(threadBefore)];
    const usage: Usage = {
      cpuUs: cpu.user + cpu.system,
      mainThreadUs: thread.user + thread.system,
      longestStallMs: Math.max(0, delay.max / 1e6 - RESOLUTION_MS),
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
    };
    process.send?.(usage);
    delay.reset();
    [before, threadBefore] = [process.cpuUsage(), process.threadCpuUsage()];
  });
  // Being ready to answer is no reason to live on.
  process.channel?.unref();
}

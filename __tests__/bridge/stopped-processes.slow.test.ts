import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { callText, open } from '../support/mcp-requests.js';
import { isRunning } from '../support/program.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

function childrenOf(pid: number): readonly number[] {
  return (readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').match(/\d+/g) ?? []).map(Number);
}

/** A bridge with one session, and the processes that it has started. */
async function startProcesses() {
  const before = childrenOf(process.pid);
  const { url, backend, stop } = await serve();
  const child = Number(await callText(url, await open(url), 'pid'));
  const isWatchdog = (pid: number) => pid !== child && !before.includes(pid);
  await until(() => childrenOf(process.pid).some(isWatchdog));
  const watchdog = childrenOf(process.pid).find(isWatchdog) as number;
  onTestFinished(async () => {
    for (const pid of [child, watchdog]) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    await stop();
  });
  return { backend, child, watchdog };
}

type Processes = Awaited<ReturnType<typeof startProcesses>>;

const STOPPED: readonly [string, (processes: Processes) => readonly number[]][] = [
  ['the watchdog', ({ watchdog }) => [watchdog]],
  ['the child', ({ child }) => [child]],
  ['both', ({ child, watchdog }) => [child, watchdog]],
];

test.each(STOPPED)('close() resolves, and leaves no process, though SIGSTOP has stopped %s', async (_name, stopped) => {
  const processes = await startProcesses();
  for (const pid of stopped(processes)) process.kill(pid, 'SIGSTOP');
  const began = performance.now();
  await processes.backend.close();
  expect(performance.now() - began).toBeLessThan(15_000);
  expect([processes.child, processes.watchdog].filter(isRunning)).toEqual([]);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, test } from 'vitest';
import { call, callText, type Headers, open, post } from '../support/mcp-requests.js';
import { isRunning } from '../support/program.js';
import { fixture, NODE, SCRIPTED, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

// A failing test must not leave processes behind.
const seen: number[] = [];
afterAll(() => {
  for (const pid of seen.filter(isRunning)) process.kill(pid, 'SIGKILL');
});

describe.concurrent('nothing is left behind', () => {
  async function gateway(env: Record<string, string>) {
    const child = spawn(NODE, [fixture('gateway.mjs'), SCRIPTED], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
    return { child, url: String(line).trim() };
  }

  async function startFamily(url: string): Promise<{ session: Headers; pids: number[] }> {
    const session = await open(url);
    const pids = [
      await callText(url, session, 'pid'),
      await callText(url, session, 'grandchild', { stubborn: true }),
    ].map(Number);
    seen.push(...pids);
    return { session, pids };
  }

  test('by a stubborn child when its gateway gets SIGTERM: the call is answered, all processes end soon', async ({
    expect,
  }) => {
    const { child, url } = await gateway({ STUBBORN: '1' });
    const { session, pids } = await startFamily(url);
    const hanging = post(url, call(1, 'hang'), session);
    await callText(url, session, 'echo');
    const start = Date.now();
    child.kill('SIGTERM');
    expect(await (await hanging).json()).toMatchObject({ id: 1, error: { data: { reason: 'closing' } } });
    const [code] = await once(child, 'exit');
    expect([code, pids.some(isRunning), Date.now() - start < 15_000]).toEqual([0, false, true]);
  });

  test('by close() in a process that waits for nothing else', async ({ expect }) => {
    const child = spawn(NODE, [fixture('close-alone.mjs'), SCRIPTED], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [[line], [code]] = await Promise.all([once(child.stdout.setEncoding('utf8'), 'data'), once(child, 'exit')]);
    expect([line, code]).toEqual(['closed with 0 children\n', 0]);
  });

  test('by a gateway that gets SIGKILL', async () => {
    const { child, url } = await gateway({ STUBBORN: '1' });
    const { pids } = await startFamily(url);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until(() => !pids.some(isRunning));
  });

  test('by a child that has children of its own', async ({ expect }) => {
    const { url, stop } = await serve();
    const session = await open(url);
    const pid = Number(await callText(url, session, 'grandchild'));
    expect(isRunning(pid)).toBe(true);
    await fetch(url, { method: 'DELETE', headers: session });
    await until(() => !isRunning(pid));
    const crashing = await open(url);
    const orphan = Number(await callText(url, crashing, 'grandchild'));
    await post(url, call(1, 'crash'), crashing);
    await until(() => !isRunning(orphan));
    await stop();
  });

  test.runIf(process.platform === 'linux')(
    'by processes that left the process group of their child',
    async ({ expect }) => {
      const { url, stop } = await serve();
      const pids: number[] = [];
      for (const stubborn of [false, true]) {
        const session = await open(url);
        pids.push(Number(await callText(url, session, 'grandchild', { detached: true, stubborn })));
      }
      seen.push(...pids);
      expect(pids.every(isRunning)).toBe(true);
      await stop();
      expect(pids.some(isRunning)).toBe(false);
    },
  );

  test.runIf(process.platform === 'linux')('by npx and what it starts', async ({ expect }) => {
    const lines: string[] = [];
    const note = (line: string): void => void lines.push(line);
    const { url, stop } = await serve({
      command: 'npx',
      args: ['--no-install', 'mcp-server-everything'],
      logger: { debug: note, info: note, warn: note, error: note },
    });
    const session = await open(url);
    const starting = () => lines.find((line) => line.includes('Starting'));
    await until(() => starting() !== undefined);
    const leader = Number(/^child (\d+): /.exec(starting() ?? '')?.[1]);
    expect(groupOf(leader).length).toBeGreaterThan(1);
    await fetch(url, { method: 'DELETE', headers: session });
    await until(() => groupOf(leader).length === 0);
    await stop();
  });

  test.runIf(process.platform === 'linux')(
    'by a gateway whose watchdog was killed and replaced before it',
    async ({ expect }) => {
      const { child, url } = await gateway({ STUBBORN: '1' });
      const first = await startFamily(url);
      const watchdogs = (): number[] => childrenOf(child.pid as number).filter((pid) => !first.pids.includes(pid));
      const [old] = watchdogs();
      expect(watchdogs()).toEqual([old]);
      process.kill(old as number, 'SIGKILL');
      await until(() => watchdogs().some((pid) => pid !== old));
      // When the gateway answers again, it has sent its process groups to the new watchdog.
      await callText(url, first.session, 'echo');
      child.kill('SIGKILL');
      await once(child, 'exit');
      await until(() => !first.pids.some(isRunning));
    },
  );
});

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number).filter(isRunning);
}

function groupOf(leader: number): number[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((pid) => isRunning(pid) && groupIn(pid) === leader);
}

function groupIn(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[2]);
  } catch {
    // It ended while we looked.
    return undefined;
  }
}

import { execFileSync } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connectStreaming, routeTo, startReloading, withRoutes } from '../support/reloading-gateway.js';
import { SCRIPTED } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const CHANGES = 40;
const TIMEOUT_MS = 60_000;

/** The numbers of the versions whose programs run. */
function versionsOf(pid: number): readonly number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'ppid=,args='], { encoding: 'utf8' }).split('\n');
  const ofGateway = lines.filter((line) => line.trim().startsWith(`${pid} `));
  return ofGateway.flatMap((line) => / version-(\d+)$/.exec(line)?.slice(1).map(Number) ?? []);
}

const versionOf = (number: number) =>
  withRoutes(routeTo('/kept'), routeTo('/changing', { args: [SCRIPTED, `version-${number}`] }));

test(
  '40 changes in a row: kept routes answer every call, and no program of an old version is left',
  async () => {
    const { program, folder, origin } = await startReloading(versionOf(0));
    const clients = await Promise.all(Array.from({ length: 4 }, () => connectStreaming(`${origin}/kept`)));
    const pids = await Promise.all(clients.map((client) => client.call('pid')));
    let isOver = false;
    let calls = 0;
    const callers = clients.map(async (client) => {
      for (; !isOver; calls += 1) await client.call('echo', { calls });
    });
    // The session of a visitor may end at any time.
    const visit = async () => (await connectStreaming(`${origin}/changing`)).call('argv').catch(() => '');
    const visitor = (async () => {
      while (!isOver) await visit().catch(() => '');
    })();
    for (let i = 1; i <= CHANGES; i += 1) {
      await writeFile(join(folder.path, 'next'), JSON.stringify(versionOf(i)));
      await rename(join(folder.path, 'next'), join(folder.path, 'config.yaml'));
      await setTimeout(Math.random() * 300);
    }
    await until(async () => (await visit().catch(() => '')).includes(`version-${CHANGES}`));
    isOver = true;
    await Promise.all([...callers, visitor]);
    expect(calls).toBeGreaterThan(100);
    expect(await Promise.all(clients.map((client) => client.call('pid')))).toEqual(pids);
    expect(clients.map(({ streams }) => streams)).toEqual(clients.map(() => 1));
    expect(versionsOf(program.pid)).toContain(CHANGES);
    await until(() => versionsOf(program.pid).every((version) => version === CHANGES), 20_000);
    expect(program.stderr).toBe('');
  },
  TIMEOUT_MS,
);

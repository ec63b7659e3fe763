import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { mcpBackend, mcpStdioBackend } from '../../src/index.js';
import { NODE } from '../support/stdio-bridge.js';

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'program-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** `ready()` of a program alone, and as a target. */
async function readinessOf(options: Parameters<typeof mcpStdioBackend>[0]): Promise<boolean> {
  const [alone, joined] = [mcpStdioBackend(options), mcpBackend({ targets: { one: options } })];
  const [isReady, isTargetReady] = [await alone.ready(), await joined.ready()];
  expect(isTargetReady).toBe(isReady);
  expect([alone.stats().children, joined.stats().connections]).toEqual([0, 0]);
  await Promise.all([alone.close(), joined.close()]);
  return isReady;
}

test.each<[string, Parameters<typeof mcpStdioBackend>[0], boolean]>([
  ['a program on the PATH', { command: 'node' }, true],
  ['a path', { command: NODE }, true],
  ['no program', { command: 'no-such-program' }, false],
  ['no file', { command: './no-such-program' }, false],
  ['a program that is not on the PATH of env', { command: 'node', env: { PATH: '/nowhere' } }, false],
  // Each caller may have another PATH.
  ['a program of callers', { command: 'no-such-program', env: () => ({ PATH: '/nowhere' }) }, true],
  ['no file, for callers', { command: './no-such-program', env: () => ({}) }, false],
])('ready() of %s, without starting it', async (_what, options, isReady) => {
  expect(await readinessOf(options)).toBe(isReady);
});

test('ready() is true as soon as the program is there, and false once the backend drains or is closed', async () => {
  const folder = await makeFolder();
  const backend = mcpStdioBackend({ command: './server', cwd: folder });
  expect(await backend.ready()).toBe(false);
  await writeFile(join(folder, 'server'), '#!/bin/sh\n');
  await chmod(join(folder, 'server'), 0o755);
  expect(await backend.ready()).toBe(true);
  await backend.drain(0);
  expect(await backend.ready()).toBe(false);
  await backend.close();
  const closed = mcpStdioBackend({ command: 'node' });
  await closed.close();
  expect(await closed.ready()).toBe(false);
});

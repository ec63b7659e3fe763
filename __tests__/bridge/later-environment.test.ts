import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { mcpBackend } from '../../src/bridge/mcp-backend.js';
import type { McpStdioBackendOptions } from '../../src/bridge/mcp-stdio-backend.js';
import type { AuthInfo } from '../../src/core/auth-info.js';
import {
  callText,
  initialize,
  open,
  post,
  postStateless,
  statelessCall,
  statelessText,
} from '../support/mcp-requests.js';
import { startNode } from '../support/program.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { NODE, SCRIPTED, type Served, serveBackend, serve as serveOptions } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

async function serve(options: Partial<McpStdioBackendOptions>): Promise<Served> {
  const served = await serveOptions(options);
  ends.push(served.stop);
  return served;
}

const later = async (auth: AuthInfo | undefined) => {
  await wait(50);
  return { CALLER: String(auth?.subject), STATELESS: '1' };
};

describe('an env() that returns a promise', () => {
  test('is awaited, and the child gets the variables, with sessions and without', async () => {
    const { url, backend } = await serve({ env: later });
    expect(JSON.parse(await callText(url, await open(url, ADA), 'env')).CALLER).toBe('ada');
    expect(JSON.parse(await statelessText(url, 'env', {}, ADA)).CALLER).toBe('ada');
    expect(backend.stats()).toMatchObject({ sessions: 1, children: 2 });
  });

  test('is awaited for each of several targets', async () => {
    const target = (name: string) => ({
      command: NODE,
      args: [SCRIPTED],
      env: async (auth: AuthInfo | undefined) => ({ ...(await later(auth)), TARGET: name }),
    });
    const backend = mcpBackend({ targets: { one: target('1'), two: target('2') } });
    const { url, stop } = await serveBackend(backend);
    ends.push(stop);
    const session = await open(url, ADA);
    expect(JSON.parse(await callText(url, session, 'one_env'))).toMatchObject({ CALLER: 'ada', TARGET: '1' });
    expect(JSON.parse(await callText(url, session, 'two_env'))).toMatchObject({ CALLER: 'ada', TARGET: '2' });
  });

  test.each<[what: string, env: () => PromiseLike<unknown>, found: RegExp]>([
    ['is rejected', () => Promise.reject(new Error('the vault is closed')), /Error: the vault is closed$/],
    ['is rejected with a text', () => Promise.reject('closed'), /: env\(\)/],
    ['gives a number', async () => ({ A: 1 }), /option "env\(\)\.A" must be a string without NUL/],
    ['gives nothing', async () => undefined, /option "env\(\)" must be a plain object/],
  ])('and %s: 503, one line in the log, and nothing is started', async (_what, env, found) => {
    const { lines, logger } = createRecordingLogger();
    const { url, backend, errors } = await serve({ env, logger } as Partial<McpStdioBackendOptions>);
    for (const response of [
      await post(url, initialize(), ADA),
      await postStateless(url, statelessCall(1, 'echo'), ADA),
    ]) {
      expect([response.status, await response.json()]).toMatchObject([
        503,
        { error: { data: { reason: 'environment_failed' } } },
      ]);
    }
    await until(() => backend.stats().children === 0);
    expect(backend.stats()).toMatchObject({ sessions: 0, children: 0 });
    const failures = lines.filter((line) => line.startsWith('error '));
    expect(failures).toEqual([
      expect.stringMatching(/^error the MCP server ".+" is not started \(environment_failed\): /),
    ]);
    expect(failures[0]).toMatch(found);
    expect(errors).toEqual([]);
  });

  test('is awaited while the bridge asks for revisions: what the child then prints is logged at debug', async () => {
    const { lines, logger } = createRecordingLogger();
    const { url } = await serve({ args: ['-e', REFUSING], env: later, logger });
    expect((await postStateless(url, statelessCall(1, 'echo'), ADA)).status).toBe(400);
    await until(() => lines.some((line) => line.endsWith('not that')));
    expect(lines.filter((line) => line.endsWith('not that'))).toEqual([
      expect.stringMatching(/^debug child \d+: not that$/),
    ]);
  });

  test('may come too late: closing the backend does not wait for it, and starts nothing afterwards', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'environment-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    let calls = 0;
    let finish = (_env: Record<string, string>): void => undefined;
    const env = () => {
      calls++;
      return new Promise<Record<string, string>>((resolve) => {
        finish = resolve;
      });
    };
    const { url, backend } = await serve({ args: ['-e', WRITING], env });
    const opening = post(url, initialize(), ADA);
    await until(() => calls === 1);
    expect(backend.stats()).toMatchObject({ sessions: 1, children: 1 });
    await backend.close();
    expect((await opening).status).toBe(503);
    finish({ FILE: join(folder, 'late') });
    // A program that is started now ends later than one that was started before.
    await wait(20);
    const other = startNode(['-e', WRITING], { env: { FILE: join(folder, 'other') } });
    expect(await other.ended).toBe(0);
    expect(await readdir(folder)).toEqual(['other']);
    expect(backend.stats()).toMatchObject({ sessions: 0, children: 0 });
  });
});

/** Refuses every request. */
const REFUSING = `process.stdin.on('data', (line) => {
  console.error('not that');
  console.log(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(line).id, error: { code: -32601, message: 'no' } }));
});`;
/** Writes the file that FILE names. */
const WRITING = "require('node:fs').writeFileSync(process.env.FILE, '')";

import { describe, expect, onTestFinished, test } from 'vitest';
import type { AuthInfo } from '../../src/core/auth-info.js';
import { reasonOf } from '../support/mcp-answers.js';
import { initialize, modern, modernCall, modernText, open, post, postModern } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const BOB = { authorization: 'Bearer bob' };
test('a child that dies while it lists its tools fails the call that wanted to know', async () => {
  const { url, stop } = await serve({ env: { MODERN: '1', CRASH_ON_LIST: '1' } });
  for (const id of [1, 2]) {
    const response = await postModern(url, modernCall(id, 'echo'));
    expect([response.status, await reasonOf(response)]).toEqual([502, 'child_exited']);
  }
  await stop();
});

test('a schema of any depth is survived', async () => {
  const { url, errors, stop } = await serve({ env: { MODERN: '1', DEEP: '8000' } });
  for (const _ of [1, 2]) expect(await modernText(url, 'echo')).toBe('{}');
  expect(errors).toEqual([]);
  await stop();
});

test("one user's failing child says nothing about the server", async () => {
  const env = (auth: AuthInfo | undefined): Record<string, string> => ({
    MODERN: '1',
    ...(auth?.payload.sub === 'ada' && { FAILS: '1' }),
  });
  const { url, stop } = await serve({ env });
  const failed = await postModern(url, modern(1, 'server/discover'), ADA);
  expect([failed.status, await reasonOf(failed)]).toEqual([400, 'legacy_server']);
  expect(await modernText(url, 'echo', {}, BOB)).toBe('{}');
  const again = await postModern(url, modern(2, 'server/discover'), ADA);
  expect(await reasonOf(again)).toBe('child_exited');
  expect(await modernText(url, 'echo', {}, BOB)).toBe('{}');
  await stop();
});

test('an answer that only older servers give holds for everybody', async () => {
  const { url, backend, stop } = await serve();
  for (const user of [ADA, BOB]) {
    expect(await reasonOf(await postModern(url, modern(1, 'server/discover'), user))).toBe('legacy_server');
  }
  await until(() => backend.stats().children === 0);
  expect((await post(url, initialize(), BOB)).status).toBe(200);
  await stop();
});

describe('a program that speaks no revision without sessions', () => {
  test('is asked once an hour, whoever asks, and what it prints then is worth debug', async () => {
    const { lines, logger } = createRecordingLogger();
    const { url, backend, stop } = await serve({ logger, env: { GRUMBLES: '31' } });
    const { now } = performance;
    const later = (minutes: number) => {
      performance.now = () => now.call(performance) + minutes * 60_000;
    };
    onTestFinished(() => {
      performance.now = now;
    });
    const asked = async (user: Record<string, string>) => {
      expect(await reasonOf(await postModern(url, modern(1, 'server/discover'), user))).toBe('legacy_server');
      await until(() => backend.stats().children === 0);
      return lines.splice(0).filter((line) => line.includes('no such method'));
    };
    const noise = Array(31).fill(expect.stringMatching(/^debug child \d+: no such method$/));
    expect(await asked(ADA)).toEqual(noise);
    for (const minutes of [2, 20, 59]) {
      later(minutes);
      expect(await asked(BOB)).toEqual([]);
    }
    later(61);
    expect(await asked(BOB)).toEqual(noise);
    later(0);
    await open(url);
    await stop();
  });

  test('prints at info what it prints in a session, and where it speaks the revision', async () => {
    const { lines, logger } = createRecordingLogger();
    const { url, stop } = await serve({ logger, env: { MODERN: '1' } });
    await modernText(url, 'stderr', { lines: 2 });
    await until(() => lines.filter((line) => /^info child \d+: line \d/.test(line)).length === 2);
    await stop();
  });
});

test('a request that waits for a new child is told when the backend is closed', async () => {
  const { url, backend, stop } = await serve({ env: { MODERN: '1', SILENT: '1' } });
  const waiting = postModern(url, modern(1, 'server/discover'));
  await until(() => backend.stats().children === 1);
  const closed = backend.close();
  const response = await waiting;
  expect([response.status, await reasonOf(response)]).toEqual([503, 'closing']);
  await closed;
  await stop();
});

describe('what the application gives', () => {
  test.each([
    ['undefined', undefined],
    ['null', null],
    ["Express's word for going on", 'route'],
    ['an Error', new Error('no')],
  ])('env() may throw %s: the request fails, and does not go on to what is mounted behind', async (_name, thrown) => {
    const env = () => {
      throw thrown;
    };
    const { url, errors, stop } = await serve({ env });
    expect((await post(url, initialize())).status).toBe(500);
    expect(errors).toEqual([expect.any(Error)]);
    await stop();
  });

  test('a logger may throw, at a request and in the background, and changes nothing', async () => {
    const fail = () => {
      throw new Error('the log is full');
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    const { url, backend, stop } = await serve({ logger, env: (auth) => (auth ? fail() : {}) });
    const session = await open(url);
    expect((await post(url, initialize(), ADA)).status).toBe(500);
    await fetch(url, { method: 'DELETE', headers: session });
    await until(() => backend.stats().children === 0);
    expect((await post(url, initialize())).status).toBe(200);
    await stop();
  });
});

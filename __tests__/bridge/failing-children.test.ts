import { describe, expect, onTestFinished, test } from 'vitest';
import type { AuthInfo } from '../../src/core/auth-info.js';
import { reasonOf } from '../support/mcp-answers.js';
import {
  initialize,
  open,
  post,
  postStateless,
  statelessCall,
  statelessRequest,
  statelessText,
} from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const BOB = { authorization: 'Bearer bob' };

test('a child that exits while it lists its tools fails the call that needs the list', async () => {
  const { url, stop } = await serve({ env: { STATELESS: '1', CRASH_ON_LIST: '1' } });
  for (const id of [1, 2]) {
    const response = await postStateless(url, statelessCall(id, 'echo'));
    expect([response.status, await reasonOf(response)]).toEqual([502, 'child_exited']);
  }
  await stop();
});

test('a schema of any depth does no harm', async () => {
  const { url, errors, stop } = await serve({ env: { STATELESS: '1', DEEP: '8000' } });
  for (const _ of [1, 2]) expect(await statelessText(url, 'echo')).toBe('{}');
  expect(errors).toEqual([]);
  await stop();
});

test("one user's failing child has no effect on other users", async () => {
  const env = (auth: AuthInfo | undefined): Record<string, string> => ({
    STATELESS: '1',
    ...(auth?.payload.sub === 'ada' && { FAILS: '1' }),
  });
  const { url, stop } = await serve({ env });
  const failed = await postStateless(url, statelessRequest(1, 'server/discover'), ADA);
  expect([failed.status, await reasonOf(failed)]).toEqual([400, 'legacy_server']);
  expect(await statelessText(url, 'echo', {}, BOB)).toBe('{}');
  const again = await postStateless(url, statelessRequest(2, 'server/discover'), ADA);
  expect(await reasonOf(again)).toBe('child_exited');
  expect(await statelessText(url, 'echo', {}, BOB)).toBe('{}');
  await stop();
});

test('an answer that only servers with sessions give counts for all users', async () => {
  const { url, backend, stop } = await serve();
  for (const user of [ADA, BOB]) {
    expect(await reasonOf(await postStateless(url, statelessRequest(1, 'server/discover'), user))).toBe(
      'legacy_server',
    );
  }
  await until(() => backend.stats().children === 0);
  expect((await post(url, initialize(), BOB)).status).toBe(200);
  await stop();
});

describe('the question which revisions without sessions a program speaks', () => {
  test('is asked once an hour if there are none, and what the program prints then is logged at debug', async () => {
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
      expect(await reasonOf(await postStateless(url, statelessRequest(1, 'server/discover'), user))).toBe(
        'legacy_server',
      );
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

  test('is over when the program names one: what it prints then is logged at info', async () => {
    const { lines, logger } = createRecordingLogger();
    const { url, stop } = await serve({ logger, env: { STATELESS: '1' } });
    await statelessText(url, 'stderr', { lines: 2 });
    await until(() => lines.filter((line) => /^info child \d+: line \d/.test(line)).length === 2);
    await stop();
  });
});

test('a request that waits for a new child is answered when the backend is closed', async () => {
  const { url, backend, stop } = await serve({ env: { STATELESS: '1', SILENT: '1' } });
  const waiting = postStateless(url, statelessRequest(1, 'server/discover'));
  await until(() => backend.stats().children === 1);
  const closed = backend.close();
  const response = await waiting;
  expect([response.status, await reasonOf(response)]).toEqual([503, 'closing']);
  await closed;
  await stop();
});

describe('functions of the application', () => {
  test.each([
    ['undefined', undefined],
    ['null', null],
    ["'route', a word of Express", 'route'],
    ['an Error', new Error('no')],
  ])('env() may throw %s: the request fails, without the next middleware', async (_name, thrown) => {
    const env = () => {
      throw thrown;
    };
    const { url, errors, stop } = await serve({ env });
    expect((await post(url, initialize())).status).toBe(500);
    expect(errors).toEqual([expect.any(Error)]);
    await stop();
  });

  test('a logger may throw, in a request and in the background, without effect', async () => {
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

import type { ServerResponse } from 'node:http';
import { expect, test, vi } from 'vitest';
import { CallError, callServer } from '../../src/upstream/call-server.js';
import { serve, unreachableUrl } from '../support/loopback-server.js';

async function failureOf(url: string, timeoutMs: number): Promise<CallError> {
  return await callServer(new URL(url), { method: 'POST', body: 'secret=1' }, { timeoutMs, maxBytes: 100 }).then(
    () => expect.fail('it was answered'),
    (error) => error,
  );
}

test.each<[string, (res: ServerResponse) => void, boolean, string, timeoutMs?: number]>([
  ['no answer', () => undefined, false, 'no answer within 0.1 seconds', 100],
  ['half an answer', (res) => res.writeHead(200).write('{'), false, 'no answer within 0.1 seconds', 100],
  ['a hang-up', (res) => void res.destroy(), false, 'UND_ERR_SOCKET'],
  ['500', (res) => res.writeHead(500).end(), false, 'it answered with status 500'],
  ['a redirect', (res) => res.writeHead(302, { location: '/' }).end(), true, 'it answered with status 302'],
  ['too much', (res) => res.end(' '.repeat(101)), true, 'it is larger than 100 bytes'],
])('fails after %s', async (_name, answer, answered, reason, timeoutMs = 10_000) => {
  const origin = await serve((_req, res) => answer(res));
  const error = await failureOf(`${origin}/token?code=secret`, timeoutMs);
  expect(error).toBeInstanceOf(CallError);
  expect(error.answered).toBe(answered);
  expect(error.message).toBe(`POST ${origin}/token failed: ${reason}`);
});

test('a call that does not reach the server says that a proxy of the environment is not used', async () => {
  vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:1');
  vi.stubEnv('http_proxy', undefined);
  vi.stubEnv('NO_PROXY', undefined);
  vi.stubEnv('no_proxy', undefined);
  vi.stubEnv('NODE_USE_ENV_PROXY', undefined);
  // Reaches this machine, but is not a loopback address.
  const url = (await unreachableUrl()).replace('127.0.0.1', '0.0.0.0');
  const { message } = await failureOf(url, 10_000);
  expect(message).toBe(
    `POST ${url} failed: ECONNREFUSED. HTTP_PROXY is not used for this: start Node with NODE_USE_ENV_PROXY=1`,
  );
  vi.unstubAllEnvs();
});

test.each<[string, unknown]>([
  ['{"a":1}', { a: 1 }],
  ['[]', undefined],
  ['null', undefined],
  ['"a"', undefined],
  ['{', undefined],
  ['', undefined],
])('a body of %j is %j', async (text, body) => {
  const origin = await serve((_req, res) => res.writeHead(400).end(text));
  expect(await callServer(new URL(origin), { method: 'GET' })).toMatchObject({ status: 400, body });
});

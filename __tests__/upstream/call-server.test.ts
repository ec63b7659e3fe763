import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { CallError, callServer } from '../../src/upstream/call-server.js';
import { serve } from '../support/loopback-server.js';

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

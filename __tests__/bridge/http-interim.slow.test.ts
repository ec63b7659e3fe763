import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { reasonOf } from '../support/mcp-answers.js';
import { call, JSON_HEADERS, post } from '../support/mcp-requests.js';
import { startTarget } from '../support/recording-target.js';

const sendInterim = (res: ServerResponse): void => res.writeEarlyHints({ link: '</a>; rel=preload' });

test.each([
  ['a short body', 1],
  ['a body that is forwarded as a stream', 200_000],
])('interim responses do not extend the time for an answer: %s', async (_body, length) => {
  const target = await startTarget((req, res) => {
    req.resume();
    const timer = setInterval(sendInterim, 200, res);
    // It answers in the end, so that the test fails without a limit.
    const late = setTimeout(() => res.end('{}'), 8_000);
    res.on('close', () => {
      clearInterval(timer);
      clearTimeout(late);
    });
  });
  const remote = await serveRemote(target.url, { responseTimeoutSeconds: 1 });
  const response = await post(remote.url, call(1, 'x', { text: 'x'.repeat(length) }), remote.bearer('ada'));
  expect([response.status, await reasonOf(response)]).toEqual([504, 'target_timed_out']);
});

test('an upload may go on after an interim response', async () => {
  const target = await startTarget((req, res) => {
    sendInterim(res);
    req.resume().on('end', () => res.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  const remote = await serveRemote(target.url, { responseTimeoutSeconds: 2 });
  async function* pieces() {
    for (let i = 0; i < 10; i += 1) {
      yield Buffer.alloc(20_000, ' ');
      await wait(400);
    }
    yield Buffer.from(JSON.stringify(call(1, 'x')));
  }
  const response = await fetch(remote.url, {
    method: 'POST',
    headers: { ...JSON_HEADERS, ...remote.bearer('ada') },
    body: ReadableStream.from(pieces()),
    duplex: 'half',
  });
  expect([response.status, await response.text()]).toEqual([200, '{}']);
});

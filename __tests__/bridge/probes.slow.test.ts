import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { messagesOf, reasonOf } from '../support/mcp-answers.js';
import { call, callText, type Headers, open, post } from '../support/mcp-requests.js';
import { type Served, serve } from '../support/stdio-bridge.js';

let served: Served;
let session: Headers;
beforeAll(async () => {
  served = await serve();
  session = await open(served.url);
});
afterAll(() => served.stop());

describe('requests of', () => {
  test.each([150_000, 1_000_000])('%i bytes pass', async (bytes) => {
    const echoed = await callText(served.url, session, 'echo', { text: 'ä'.repeat(bytes / 2) });
    expect(JSON.parse(echoed).text).toHaveLength(bytes / 2);
  });

  test('more than the limit are answered 413 as JSON, with Content-Length or without', async () => {
    const body = JSON.stringify(call(1, 'echo', { text: 'x'.repeat(4_194_304) }));
    const announced = await post(served.url, body, session);
    expect([announced.status, await reasonOf(announced)]).toEqual([413, 'body_too_large']);
    const chunks = new ReadableStream({
      start(controller) {
        for (let at = 0; at < body.length; at += 65_536) controller.enqueue(Buffer.from(body.slice(at, at + 65_536)));
        controller.close();
      },
    });
    const headers = { ...session, 'content-type': 'application/json' };
    const chunked = await fetch(served.url, { method: 'POST', body: chunks, headers, duplex: 'half' } as RequestInit);
    expect([chunked.status, await reasonOf(chunked)]).toEqual([413, 'body_too_large']);
    expect(await callText(served.url, session, 'echo')).toBe('{}');
  });
});

describe('answers of', () => {
  test.each([1, 5])('%i MB pass', async (megabytes) => {
    expect(await callText(served.url, session, 'big', { bytes: megabytes * 1_000_000 })).toHaveLength(
      megabytes * 1_000_000,
    );
  });

  test.each([20, 100])('%i MB fail their call, and the session lives', async (megabytes) => {
    const other = post(served.url, call('other', 'progress', { steps: 2, delay: 200 }), session);
    const response = await post(served.url, call('big', 'big', { bytes: megabytes * 1_000_000 }), session);
    expect(await response.json()).toMatchObject({ id: 'big', error: { data: { reason: 'message_too_large' } } });
    expect((await messagesOf(await other)).at(-1)).toMatchObject({ id: 'other', result: {} });
    expect(await callText(served.url, session, 'echo')).toBe('{}');
  });

  test('20 MB fail their call even if the id comes first', async () => {
    const response = await post(served.url, call('first', 'big-id-first', { bytes: 20_000_000 }), session);
    expect(await response.json()).toMatchObject({ id: 'first', error: { data: { reason: 'message_too_large' } } });
  });
});

test('a request that takes too long is cancelled and answered', async () => {
  const hasty = await serve({ requestTimeoutSeconds: 4 });
  const own = await open(hasty.url);
  const response = await post(hasty.url, call('slow', 'hang'), own);
  expect(await reasonOf(response)).toBe('request_timed_out');
  expect(JSON.parse(await callText(hasty.url, own, 'cancelled'))).toEqual(['slow']);
  await hasty.stop();
});

import { expect, test } from 'vitest';
import { reasonOf } from '../support/mcp-answers.js';
import { call, callText, initialize, open, post, postStateless, statelessCall } from '../support/mcp-requests.js';
import { FRAMEWORKS, serve } from '../support/stdio-bridge.js';

const big = 'x'.repeat(1_000_000);
const notification = { jsonrpc: '2.0', method: 'notifications/x', params: { big } };

test.each(FRAMEWORKS)(
  'an initialize whose answer the client would not accept opens nothing on %s',
  async (framework) => {
    const { url, backend, stop } = await serve({}, framework);
    for (let attempt = 0; attempt < 3; attempt++) {
      const response = await post(url, initialize(), { accept: 'text/html' });
      expect([response.status, await reasonOf(response)]).toEqual([406, 'not_acceptable']);
    }
    expect(backend.stats()).toMatchObject({ sessions: 0, children: 0 });
    await stop();
  },
);

test('a request whose answer the client would not accept is not sent to the child', async () => {
  const { url, stop } = await serve();
  const session = await open(url, {}, '2025-03-26');
  const refused = await post(url, [{ ...notification, params: {} }, call(1, 'pid')], {
    ...session,
    accept: 'text/html',
  });
  expect(refused.status).toBe(406);
  expect(JSON.parse(await callText(url, session, 'received'))).toEqual([]);
  await stop();
});

test('an id that comes twice at once is refused once, whatever else is in the batches', async () => {
  const { url, stop } = await serve();
  const session = await open(url, {}, '2025-03-26');
  const batch = [notification, call('same', 'progress', { steps: 1, delay: 4_000 })];
  const answers = await Promise.all([post(url, batch, session), post(url, batch, session)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
  for (const answer of answers) {
    if (answer.status === 400) expect(await reasonOf(answer)).toBe('id_in_flight');
    else expect(await answer.json()).toMatchObject([{ id: 'same', result: {} }]);
  }
  await stop();
});

test('the limit of requests in flight holds for batches that come at once', async () => {
  const { url, stop } = await serve({ maxPendingRequests: 2 });
  const session = await open(url, {}, '2025-03-26');
  const answers = await Promise.all(
    [1, 2, 3, 4].map((id) => post(url, [notification, call(id, 'progress', { steps: 1, delay: 4_000 })], session)),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(2);
  await stop();
});

test('the limit of requests in flight holds for requests without a session that come at once', async () => {
  const { url, backend, stop } = await serve({
    maxPendingRequests: 2,
    anonymousRequests: 'shared',
    env: { STATELESS: '1' },
  });
  const slow = (id: number) => postStateless(url, statelessCall(id, 'progress', { steps: 1, delay: 4_000 }));
  const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(slow));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
  for (const answer of answers) {
    if (answer.status !== 200) expect([answer.status, await reasonOf(answer)]).toEqual([429, 'too_many_pending']);
  }
  expect(backend.stats().pending).toBe(0);
  await stop();
});

test('a refusal reaches a client that accepts streams only', async () => {
  const { url, stop } = await serve({ maxPendingRequests: 1, anonymousRequests: 'shared', env: { STATELESS: '1' } });
  const slow = (id: number) =>
    postStateless(url, statelessCall(id, 'progress', { steps: 1, delay: 4_000 }), { accept: 'text/event-stream' });
  const answers = await Promise.all([1, 2].map(slow));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 429]);
  await Promise.all(answers.map((answer) => answer.text()));
  await stop();
});

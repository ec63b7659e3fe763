import { expect, onTestFinished, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { reasonOf } from '../support/mcp-answers.js';
import { call, type Headers, listen, open, post, postStateless, statelessRequest } from '../support/mcp-requests.js';
import { answerMcp, startRecordingTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

/** A target that answers calls of `wait` only when it is told to. */
async function startWaitingTarget() {
  const waiting: (() => void)[] = [];
  const answer = answerMcp();
  const target = await startRecordingTarget((arrived, res, req) => {
    if (!arrived.body.includes('"wait"')) return answer(arrived, res, req);
    waiting.push(() => answer(arrived, res, req));
  });
  const finish = (): void => {
    for (const each of waiting.splice(0)) each();
  };
  return { target, waiting, finish };
}

const wait = (url: string, headers: Headers = {}) => post(url, call(1, 'wait'), headers);

test('a user has maxPendingRequests in flight; more are refused, and other users are not', async () => {
  const { target, waiting, finish } = await startWaitingTarget();
  const remote = await serveRemote(target.url, { maxPendingRequests: 2 });
  const first = await open(remote.url, remote.bearer('ada'));
  const second = await open(remote.url, remote.bearer('ada', { clientId: 'other' }));
  const pending = [wait(remote.url, first), wait(remote.url, second)];
  await until(() => waiting.length === 2);
  for (const headers of [first, second, remote.bearer('ada')]) {
    const refused = await post(remote.url, call(2, 'x'), headers);
    expect([refused.status, await reasonOf(refused), refused.headers.get('retry-after')]).toEqual([
      429,
      'too_many_pending',
      '5',
    ]);
  }
  expect((await post(remote.url, call(2, 'x'), await open(remote.url, remote.bearer('bob')))).status).toBe(200);
  expect(target.arrived.filter(({ body }) => body.includes('"id":2'))).toHaveLength(1);
  expect(remote.lines.filter((line) => line.includes('maxPendingRequests'))).toEqual([
    expect.stringMatching(/^warn mcpHttpBackend\(\): answered 429 \(too_many_pending\): .* raise maxPendingRequests$/),
  ]);
  expect((await fetch(remote.url, { method: 'DELETE', headers: second })).status).toBe(200);
  finish();
  expect((await Promise.all(pending)).map(({ status }) => status)).toEqual([200, 200]);
  await until(() => remote.backend.stats().pending === 0);
  expect((await post(remote.url, call(3, 'x'), first)).status).toBe(200);
});

test('requests whose clients leave, and refused ones, are no longer counted', async () => {
  const { target, waiting } = await startWaitingTarget();
  const remote = await serveRemote(target.url, { maxPendingRequests: 1 });
  const ada = await open(remote.url, remote.bearer('ada'));
  for (let i = 1; i <= 3; i++) {
    const leaving = new AbortController();
    const left = post(remote.url, call(i, 'wait'), ada, leaving.signal);
    await until(() => waiting.length === i);
    expect((await post(remote.url, call(0, 'x'), ada)).status).toBe(429);
    leaving.abort();
    await expect(left).rejects.toThrow();
    await until(() => remote.backend.stats().pending === 0);
    expect((await post(remote.url, '{', { ...ada, 'content-encoding': 'gzip' })).status).toBe(415);
  }
  expect((await post(remote.url, call(0, 'x'), ada)).status).toBe(200);
});

test('open streams leave room for requests, and have a limit of their own', async () => {
  const answer = answerMcp();
  const target = await startRecordingTarget((arrived, res, req) => {
    const isStream = arrived.headers['mcp-method'] === 'subscriptions/listen';
    if (isStream) res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    else answer(arrived, res, req);
  });
  const remote = await serveRemote(target.url, { maxPendingRequests: 1, maxSessionsPerUser: 3 });
  const sessions: Headers[] = [];
  for (let i = 0; i < 2; i++) sessions.push(await open(remote.url, remote.bearer('ada')));
  const [first = {}, second = {}] = sessions;
  await listen(remote.url, first);
  await listen(remote.url, second);
  const message = statelessRequest(1, 'subscriptions/listen');
  const third = await postStateless(remote.url, message, remote.bearer('ada'));
  expect(third.status).toBe(200);
  for (const one of sessions) expect((await post(remote.url, call(1, 'x'), one)).status).toBe(200);
  const refused = await postStateless(remote.url, message, remote.bearer('ada'));
  expect([refused.status, await reasonOf(refused)]).toEqual([429, 'too_many_pending']);
  await third.body?.cancel();
  await until(() => remote.backend.stats().streams === 2);
  const again = await fetch(remote.url, { headers: first });
  expect(again.status).toBe(200);
  await again.body?.cancel();
});

test.each([
  ['behind mcpAuth() share maxAnonymousSessions', { mode: 'optional' }, 3],
  ['without mcpAuth() share maxSessions', null, 4],
])('anonymous callers %s', async (_name, policy, max) => {
  const { target, waiting, finish } = await startWaitingTarget();
  onTestFinished(finish);
  const limits = { maxPendingRequests: 1, maxAnonymousSessions: 3, maxSessions: 4 };
  const remote = await serveRemote(target.url, limits, { policy });
  const pending = Array.from({ length: max }, () => wait(remote.url));
  await until(() => waiting.length === max);
  const refused = await wait(remote.url);
  expect([refused.status, await reasonOf(refused)]).toEqual([429, 'too_many_pending']);
  if (policy !== null) expect((await post(remote.url, call(1, 'x'), remote.bearer('ada'))).status).toBe(200);
  finish();
  expect((await Promise.all(pending)).map(({ status }) => status)).toEqual(Array(max).fill(200));
});

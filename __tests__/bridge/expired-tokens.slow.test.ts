import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { eventsOf, messagesOf, nextMessage, type SseEvent } from '../support/mcp-answers.js';
import { call, callText, type Headers, open, post, postStateless, statelessCall } from '../support/mcp-requests.js';
import { serveProtected } from '../support/protected-backend.js';
import { until } from '../support/until.js';

afterEach(() => void vi.useRealTimers());
const expire = (): void => void vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });

const STREAM_ONLY = { accept: 'text/event-stream' };
const BOTH = { accept: 'application/json, text/event-stream' };
/** Says nothing for a while, then reports progress and answers at once. */
const slow = { steps: 1, delay: 2_500 };
/** Long enough for the bridge to turn the answer into a stream, and for the tick after that. */
const slower = { steps: 1, delay: 18_000 };
const meta = { progressToken: 'p' };

interface Way {
  /** The revision of the session; undefined if there is none. */
  readonly session?: string;
  readonly isStateless?: boolean;
  readonly options?: object;
}
/** The ways of a call whose stream begins without an id from which the client could resume. */
const WAYS: Readonly<Record<string, Way>> = {
  '2025-03-26': { session: '2025-03-26' },
  '2025-06-18': { session: '2025-06-18' },
  '2026-07-28': { isStateless: true },
  'sessions: false': { options: { sessions: false } },
};

/** Serves a bridge and a user for calls of this way. */
async function setUp(way: string) {
  const { session, isStateless, options } = WAYS[way] as Way;
  const served = await serveProtected({ env: { STATELESS: '1' }, ...options });
  const ada = served.bearer({ sub: 'ada' });
  const headers = session === undefined ? ada : await open(served.url, ada, session);
  const begin = (args: object, accept: Headers): Promise<Response> =>
    isStateless
      ? postStateless(served.url, statelessCall('slow', 'progress', args, meta), { ...headers, ...accept })
      : post(served.url, call('slow', 'progress', args, meta), { ...headers, ...accept });
  return { served, begin };
}

const rows = Object.keys(WAYS).flatMap((way) => [
  [way, 'stream', STREAM_ONLY] as const,
  [way, 'JSON or stream', BOTH] as const,
]);

test.each(rows)(
  'a quiet call (%s, %s) gets its answer after its token expired, and nothing else',
  async (way, _form, accept) => {
    const { served, begin } = await setUp(way);
    const answer = begin(slow, accept);
    await until(() => served.backend.stats().pending === 1);
    expire();
    const text = await (await answer).text();
    expect([text.includes('"result"'), text.includes('progress"')]).toEqual([true, false]);
  },
);

test('a quiet answer that the bridge has made a stream brings the response after its token expired', async () => {
  const answers = ['2025-06-18', '2026-07-28', 'sessions: false'].map(async (way) => {
    const { begin } = await setUp(way);
    return begin(slower, BOTH);
  });
  const responses = await Promise.all(answers);
  expire();
  for (const { headers } of responses) expect(headers.get('content-type')).toBe('text/event-stream');
  for (const text of await Promise.all(responses.map((response) => response.text())))
    expect(text).toMatch(/^(?::\n\n)*(?:id: 1-1\n)?data: .*"result".*\n\n$/);
});

test('progress of a call whose token has expired goes to the event stream of its session, with a new token', async () => {
  const served = await serveProtected();
  const session = await open(served.url, served.bearer({ sub: 'ada' }), '2025-06-18');
  const answer = post(served.url, call('slow', 'progress', slow, meta), { ...session, ...STREAM_ONLY });
  await until(() => served.backend.stats().pending === 1);
  expire();
  const headers = { ...session, ...served.bearer({ sub: 'ada' }), ...STREAM_ONLY };
  const events = eventsOf(await fetch(served.url, { headers }));
  expect(await nextMessage(events)).toMatchObject({ method: 'notifications/progress', params: meta });
  expect(await (await answer).text()).toContain('"result"');
});

/** Opens a session and calls a tool that asks the client after `delay` milliseconds. */
async function asks(revision: string, delay: number, accept: Headers, method?: string) {
  const served = await serveProtected();
  const ada = served.bearer({ sub: 'ada' });
  const session = await open(served.url, ada, revision);
  const answer = post(served.url, call('a', 'ask', { delay, method }), { ...session, ...accept });
  await until(() => served.backend.stats().pending === 1);
  const renew = (): Headers => ({ ...session, ...served.bearer({ sub: 'ada' }) });
  const reply = { jsonrpc: '2.0', id: 'ask-1', result: { role: 'user' } };
  return { served, ada, answer, renew, respond: () => post(served.url, reply, renew()) };
}

const QUESTION = { method: 'sampling/createMessage' };
const RESULT = { id: 'a', result: { content: [{ text: '{"role":"user"}' }] } };

test.each([
  ['2025-03-26', 'JSON or stream', BOTH],
  ['2025-06-18', 'JSON or stream', BOTH],
  ['2025-06-18', 'stream', STREAM_ONLY],
  ['2025-11-25', 'JSON or stream', BOTH],
])(
  'without an event stream of its session, a call (%s, %s) brings a question after its token expired',
  async (...row) => {
    const [revision, , accept] = row;
    const { served, answer, renew, respond } = await asks(revision, 2_500, accept);
    expire();
    const seen: SseEvent[] = [];
    for await (const event of eventsOf(await answer)) seen.push(event);
    const question = seen.find(({ data }) => data !== '');
    expect(JSON.parse(question?.data ?? '{}')).toMatchObject(QUESTION);
    expect(seen.at(-1)).toEqual({ id: undefined, retry: '1000', data: '' });
    const resumption = { ...renew(), ...STREAM_ONLY, 'last-event-id': `${question?.id}` };
    const rest = fetch(served.url, { headers: resumption });
    expect((await respond()).status).toBe(202);
    expect(await messagesOf(await rest)).toMatchObject([RESULT]);
  },
);

test('with an event stream of the session, the question comes there, and the answer where it was awaited', async () => {
  const { served, answer, renew, respond } = await asks('2025-06-18', 2_500, BOTH);
  expire();
  const events = eventsOf(await fetch(served.url, { headers: { ...renew(), ...STREAM_ONLY } }));
  expect(await nextMessage(events)).toMatchObject(QUESTION);
  expect((await respond()).status).toBe(202);
  expect(await messagesOf(await answer)).toMatchObject([RESULT]);
});

test('a ping after the token of a call expired does not take the place of its answer', async () => {
  const { answer, respond } = await asks('2025-06-18', 2_500, BOTH, 'ping');
  expire();
  await wait(3_500);
  expect((await respond()).status).toBe(202);
  expect(await messagesOf(await answer)).toMatchObject([RESULT]);
});

test('no question comes after the token of its call was revoked', async () => {
  const { served, ada, answer } = await asks('2025-06-18', 200, STREAM_ONLY);
  served.auth.revoke(ada.authorization.slice('Bearer '.length));
  expect(await (await answer).text()).toBe('');
});

test('a quiet stream whose token is revoked ends without an answer, and its call is cancelled', async () => {
  const served = await serveProtected();
  const ada = served.bearer({ sub: 'ada' });
  const session = await open(served.url, ada, '2025-06-18');
  const answer = post(served.url, call('a', 'hang'), { ...session, ...STREAM_ONLY });
  await until(() => served.backend.stats().pending === 1);
  served.auth.revoke(ada.authorization.slice('Bearer '.length));
  expect(await (await answer).text()).toBe('');
  expect(served.backend.stats().pending).toBe(0);
  const later = served.bearer({ sub: 'ada', scopes: ['new'] });
  expect(await callText(served.url, { ...session, ...later }, 'cancelled')).toBe('["a"]');
});

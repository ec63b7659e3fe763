import { afterEach, describe, expect, test, vi } from 'vitest';
import { eventsOf, messagesOf, nextMessage } from '../support/mcp-answers.js';
import {
  call,
  callText,
  type Headers,
  initialize,
  open,
  post,
  postStateless,
  statelessCall,
  statelessRequest,
  statelessText,
} from '../support/mcp-requests.js';
import { type ProtectedBackend, serveProtected } from '../support/protected-backend.js';
import { until } from '../support/until.js';

const REVOKED = 'The token has been revoked';
const UNKNOWN = 'The token is signed with an unknown key';
/** The longest time until the end: the bridge looks once a second, and a busy machine may be late. */
const PROMPTLY_MS = 15_000;
const JSON_ONLY = { accept: 'application/json' };

afterEach(() => void vi.useRealTimers());

type End = (served: ProtectedBackend, token: string) => void;

/** The ways to withdraw a token, and how `mcpAuth()` then describes it. */
const ENDS: Readonly<Record<string, { readonly end: End; readonly description: string }>> = {
  'the token is revoked': { end: ({ auth }, token) => auth.revoke(token), description: REVOKED },
  'its user is revoked': {
    end: ({ auth }) => auth.revoke(({ payload }) => payload.sub === 'ada'),
    description: REVOKED,
  },
  'its key is withdrawn': { end: ({ issuer }) => issuer.rotateKeys(), description: UNKNOWN },
};
const EXPIRY: Readonly<Record<string, { readonly end: End }>> = {
  'the token expires': {
    end: () => void vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 }),
  },
};

async function setUp() {
  const served = await serveProtected({ env: { STATELESS: '1' } });
  const ada = served.bearer({ sub: 'ada' });
  const token = ada.authorization.slice('Bearer '.length);
  return { served, ada, token };
}

/** Reads the rest of a stream; fails if it does not end promptly. */
async function restOf(events: ReturnType<typeof eventsOf>): Promise<string[]> {
  const rest: string[] = [];
  const read = (async () => {
    for await (const { data } of events) rest.push(data);
  })();
  const late = new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error('the stream goes on')), PROMPTLY_MS).unref();
  });
  await Promise.race([read, late]);
  return rest;
}

async function expectRefused(response: Response, description: string): Promise<void> {
  expect([response.status, await response.json()]).toEqual([
    401,
    { error: 'invalid_token', error_description: description },
  ]);
  expect(response.headers.get('www-authenticate')).toContain('resource_metadata=');
}

async function sessionOf(url: string, headers: Headers): Promise<Headers> {
  return open(url, headers, '2025-11-25');
}

describe.each(Object.entries({ ...ENDS, ...EXPIRY }))('when %s, promptly ends', (_name, { end }) => {
  test('the GET stream', async () => {
    const { served, ada, token } = await setUp();
    const session = await sessionOf(served.url, ada);
    const stream = await fetch(served.url, { headers: { ...session, accept: 'text/event-stream' } });
    await callText(served.url, session, 'late');
    const events = eventsOf(stream);
    await nextMessage(events);
    end(served, token);
    await restOf(events);
    expect(served.backend.stats().sessions).toBe(1);
  });

  test('a POST stream', async () => {
    const { served, ada, token } = await setUp();
    const session = await sessionOf(served.url, ada);
    const events = eventsOf(await post(served.url, call('a', 'begin', {}, { progressToken: 'p' }), session));
    await nextMessage(events);
    end(served, token);
    expect(await restOf(events)).toEqual(['']);
  });

  test('a subscription, and the request at the child with it', async () => {
    const { served, ada, token } = await setUp();
    const listen = statelessRequest('s', 'subscriptions/listen', { notifications: { toolsListChanged: true } });
    const events = eventsOf(await postStateless(served.url, listen, ada));
    await nextMessage(events);
    end(served, token);
    expect(await restOf(events)).toEqual([]);
    expect(served.backend.stats().pending).toBe(0);
  });

  test('a stream without a session, and the request at the child with it', async () => {
    const { served, ada, token } = await setUp();
    const begin = statelessCall('a', 'begin', {}, { progressToken: 'p' });
    const events = eventsOf(await postStateless(served.url, begin, ada));
    await nextMessage(events);
    end(served, token);
    expect(await restOf(events)).toEqual([]);
    expect(served.backend.stats().pending).toBe(0);
  });

  test('a session that no other token was used on, and a shared child, after the grace period', async () => {
    const served = await serveProtected({ expiryGraceSeconds: 0, env: { STATELESS: '1' } });
    const ada = served.bearer({ sub: 'ada' });
    await sessionOf(served.url, ada);
    await statelessText(served.url, 'pid', {}, ada);
    end(served, ada.authorization.slice('Bearer '.length));
    await until(() => served.backend.stats().sessions === 0, PROMPTLY_MS);
    await until(() => served.backend.stats().children === 0);
  });
});

describe.each(Object.entries(ENDS))('when %s', (_name, { end, description }) => {
  test('a request whose answer has not begun is refused, and cancelled at the child', async () => {
    const { served, ada, token } = await setUp();
    const session = await sessionOf(served.url, ada);
    const answers = [
      post(served.url, call('a', 'hang'), { ...session, ...JSON_ONLY }),
      post(served.url, call('b', 'hang'), session),
      postStateless(served.url, statelessCall('c', 'hang'), ada),
    ];
    await until(() => served.backend.stats().pending === 3);
    end(served, token);
    for (const answer of answers) await expectRefused(await answer, description);
    expect(served.backend.stats().pending).toBe(0);
    const other = served.bearer({ sub: 'ada' });
    if (description !== REVOKED)
      expect(await callText(served.url, { ...session, ...other }, 'cancelled')).toBe('["a","b"]');
  });

  test('a session that is being opened is refused, and its child ended', async () => {
    const served = await serveProtected({ env: { MUTE_AT_START: '1' } });
    const ada = served.bearer({ sub: 'ada' });
    const answer = post(served.url, initialize(), ada);
    await until(() => served.backend.stats().sessions === 1);
    end(served, ada.authorization.slice('Bearer '.length));
    await expectRefused(await answer, description);
    await until(() => served.backend.stats().children === 0);
  });
});

test('a request that waits for a child to start is refused if its token is revoked meanwhile', async () => {
  const served = await serveProtected({ env: { STATELESS: '1', SLOW_START: '3000' } });
  const ada = served.bearer({ sub: 'ada' });
  const answer = postStateless(served.url, statelessCall('a', 'pid'), ada);
  await until(() => served.backend.stats().children === 1);
  served.auth.revoke(ada.authorization.slice('Bearer '.length));
  await expectRefused(await answer, REVOKED);
});

test('a POST stream whose token was revoked is resumed with a new token, and brings the answer', async () => {
  const { served, ada, token } = await setUp();
  const session = await sessionOf(served.url, ada);
  const slow = call('slow', 'progress', { steps: 20, delay: 250 }, { progressToken: 'p' });
  const first = eventsOf(await post(served.url, slow, session));
  const { value } = await first.next();
  served.auth.revoke(token);
  expect((await restOf(first)).join()).not.toContain('result');
  const later = served.bearer({ sub: 'ada', scopes: ['new'] });
  const headers = { ...session, ...later, accept: 'text/event-stream', 'last-event-id': String(value?.id) };
  const messages = await messagesOf(await fetch(served.url, { headers }));
  expect(messages.at(-1)).toMatchObject({ id: 'slow', result: {} });
});

test('a child that dies is not started again for a token that was revoked', async () => {
  const { served, ada, token } = await setUp();
  const pid = Number(await statelessText(served.url, 'pid', {}, ada));
  served.auth.revoke(token);
  process.kill(pid, 'SIGKILL');
  await until(() => served.backend.stats().children === 0);
  expect(served.backend.stats().restarts).toBe(0);
});

test('a session outlives its first token if another is used on it, and only the streams of the first end', async () => {
  const served = await serveProtected({ expiryGraceSeconds: 0 });
  const [first, second] = [served.bearer({ sub: 'ada' }), served.bearer({ sub: 'ada', expiresInSeconds: 7_200 })];
  const session = await sessionOf(served.url, first);
  const stream = await fetch(served.url, { headers: { ...session, accept: 'text/event-stream' } });
  await callText(served.url, { ...session, ...second }, 'echo');
  served.auth.revoke(first.authorization.slice('Bearer '.length));
  await restOf(eventsOf(stream));
  expect(await callText(served.url, { ...session, ...second }, 'echo')).toBe('{}');
});

test('others are not affected: the same user with another token, another user, an anonymous caller', async () => {
  const served = await serveProtected({}, { mode: 'optional' });
  const revoked = served.bearer({ sub: 'ada' });
  const callers = [served.bearer({ sub: 'ada', scopes: ['other'] }), served.bearer({ sub: 'bob' }), {}];
  const sessions = await Promise.all(callers.map((headers) => sessionOf(served.url, headers)));
  const answers = sessions.map(async (session) => {
    const slow = call('slow', 'progress', { steps: 20, delay: 200 }, { progressToken: 'p' });
    return messagesOf(await post(served.url, slow, session));
  });
  await until(() => served.backend.stats().pending === 3);
  served.auth.revoke(revoked.authorization.slice('Bearer '.length));
  for (const messages of await Promise.all(answers)) expect(messages.at(-1)).toMatchObject({ result: {} });
});

import { describe, expect, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { altered } from '../support/altered.js';
import { serveRemote } from '../support/http-backend.js';
import { eventsOf, nextMessage, reasonOf } from '../support/mcp-answers.js';
import { call, type Headers, initialize, open, post } from '../support/mcp-requests.js';
import { answerMcp, startRecordingTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

const SECRET = 'a secret of at least thirty-two characters';
/** Policies whose session ids are those of the target, or signed. */
const POLICIES = [
  ['without a secret', {}],
  ['with a secret', { secret: SECRET }],
  ['with sessionOwners: sign', { sessionOwners: 'sign', secret: SECRET }],
] as const;

const VERBS = ['POST', 'GET', 'DELETE'] as const;

function ask(method: (typeof VERBS)[number], url: string, headers: Headers): Promise<Response> {
  if (method === 'POST') return post(url, call(1, 'echo'), headers);
  return fetch(url, { method, headers: { accept: 'text/event-stream', ...headers } });
}

describe.each(POLICIES)('%s', (_name, policy) => {
  test.each(VERBS)('a session is unknown to everybody but the user who opened it: %s', async (method) => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, {}, { policy: { mode: 'optional', ...policy } });
    const ada = await open(remote.url, remote.bearer('ada'));
    const anonymous = await open(remote.url);
    const session = { 'mcp-session-id': ada['mcp-session-id'] as string };
    const before = target.arrived.length;
    const callers: Record<string, Headers> = {
      'another user': { ...session, ...remote.bearer('bob') },
      'the user through another client': { ...session, ...remote.bearer('ada', { clientId: 'other' }) },
      'an anonymous caller': session,
      'the user, of an anonymous session': { ...anonymous, ...remote.bearer('ada') },
      'an altered id': { ...ada, 'mcp-session-id': `${session['mcp-session-id']}x` },
      'an id in capitals': { ...ada, 'mcp-session-id': session['mcp-session-id'].toUpperCase() },
      'an id that is a name of every object': { ...ada, 'mcp-session-id': '__proto__' },
    };
    const unknown = await (await ask(method, remote.url, { ...ada, 'mcp-session-id': 'unknown' })).text();
    for (const [name, headers] of Object.entries(callers)) {
      const response = await ask(method, remote.url, headers);
      expect([name, response.status, await response.text()]).toEqual([name, 404, unknown]);
    }
    expect(JSON.parse(unknown).error).toMatchObject({ code: -32001, data: { reason: 'unknown_session' } });
    expect(target.arrived).toHaveLength(before);
    const own = await ask(method, remote.url, ada);
    expect(own.status).toBe(200);
    await own.body?.cancel();
  });

  test('the target gets its own id, and the client always the one it was given', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, {}, { policy });
    const ada = await open(remote.url, remote.bearer('ada'));
    const response = await post(remote.url, call(1, 'echo'), ada);
    expect(response.headers.get('mcp-session-id')).toBe(ada['mcp-session-id']);
    expect(await response.json()).toMatchObject({ result: { session: 'session-1' } });
    expect(target.arrived.at(-1)?.headers['mcp-session-id']).toBe('session-1');
    expect(ada['mcp-session-id']?.length === 'session-1'.length).toBe(!('secret' in policy));
  });

  test('two users at once: each hears the stream of the own session only', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, {}, { policy });
    const users = await Promise.all(['ada', 'bob'].map((name) => open(remote.url, remote.bearer(name))));
    const heard = await Promise.all(
      users.map(async (user) => nextMessage(eventsOf(await ask('GET', remote.url, user)))),
    );
    expect(heard.map(({ params }) => (params as { session: string }).session).toSorted()).toEqual([
      'session-1',
      'session-2',
    ]);
    expect(remote.backend.stats()).toMatchObject({ sessions: 2 });
  });
});

test.each([
  ['DELETE', 'DELETE', undefined],
  ['the target does not know it any more', 'POST', 404],
] as const)('a session is over once %s', async (_name, method, answered) => {
  let status: number | undefined;
  const target = await startRecordingTarget((arrived, res) => {
    if (status !== undefined) res.writeHead(status, { 'content-type': 'application/json' }).end('{"from":"target"}');
    else if (arrived.body.includes('initialize')) {
      res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'one' }).end('{}');
    } else res.writeHead(200).end();
  });
  const remote = await serveRemote(target.url);
  const ada = await open(remote.url, remote.bearer('ada'));
  status = answered;
  const first = await ask(method, remote.url, ada);
  // The target's own answer, not ours.
  if (status === 404) expect(await first.text()).toBe('{"from":"target"}');
  expect(remote.backend.stats().sessions).toBe(0);
  status = undefined;
  const again = await ask('POST', remote.url, ada);
  expect(again.status).toBe(404);
  expect(await reasonOf(again)).toBe('unknown_session');
});

test('a session goes on if the target routes only POST, and answers GET with 404', async () => {
  const answer = answerMcp();
  const target = await startRecordingTarget((arrived, res, req) => {
    if (arrived.method === 'GET') res.writeHead(404).end();
    else answer(arrived, res, req);
  });
  const remote = await serveRemote(target.url);
  const ada = await open(remote.url, remote.bearer('ada'));
  expect((await ask('GET', remote.url, ada)).status).toBe(404);
  expect(remote.backend.stats().sessions).toBe(1);
  expect((await ask('POST', remote.url, ada)).status).toBe(200);
});

test('a late answer to one user ends no session of another, to whom the target gave the same id', async () => {
  let endLate: (() => void) | undefined;
  const target = await startRecordingTarget(({ body, method }, res) => {
    if (body.includes('late')) endLate = () => res.writeHead(404).end();
    else res.writeHead(200, method === 'POST' ? { 'mcp-session-id': 'same' } : {}).end('{}');
  });
  const remote = await serveRemote(target.url);
  const ada = await open(remote.url, remote.bearer('ada'));
  const late = post(remote.url, call(1, 'late'), ada);
  await until(() => endLate !== undefined);
  expect((await ask('DELETE', remote.url, ada)).status).toBe(200);
  const bob = await open(remote.url, remote.bearer('bob'));
  endLate?.();
  expect((await late).status).toBe(404);
  expect((await post(remote.url, call(2, 'echo'), bob)).status).toBe(200);
});

describe('two replicas with one secret', () => {
  test.each([
    ['the backend verifies', {}],
    ['mcpAuth() verifies', { sessionOwners: 'sign' }],
  ])('each serves the sessions of the other: %s', async (_name, members) => {
    const target = await startRecordingTarget();
    const issuer = createTestIssuer();
    const policy = { secret: SECRET, ...members };
    const [one, other] = await Promise.all([1, 2].map(() => serveRemote(target.url, {}, { policy, issuer })));
    const ada = await open(one?.url ?? '', one?.bearer('ada'));
    const bob = { ...ada, ...other?.bearer('bob') };
    for (const method of VERBS.slice(0, 2)) {
      for (const replica of [other, one, other]) {
        const response = await ask(method, replica?.url ?? '', ada);
        expect(response.status).toBe(200);
        await response.body?.cancel();
        expect((await ask(method, replica?.url ?? '', bob)).status).toBe(404);
      }
    }
    await other?.backend.close();
    // Its end is no end of the session.
    expect(target.arrived.map(({ method }) => method)).not.toContain('DELETE');
    expect((await ask('DELETE', one?.url ?? '', ada)).status).toBe(200);
  });

  test('a session of one path is unknown on the other', async () => {
    const target = await startRecordingTarget();
    const issuer = createTestIssuer();
    const policy = { secret: SECRET };
    const one = await serveRemote(target.url, {}, { policy, issuer });
    const other = await serveRemote(target.url, {}, { policy, issuer, path: '/other' });
    const ada = await open(one.url, one.bearer('ada'));
    expect((await post(other.url, call(1, 'echo'), ada)).status).toBe(404);
    expect((await post(one.url, call(1, 'echo'), ada)).status).toBe(200);
  });

  test('a new secret signs, the old one still verifies, and a third one is unknown', async () => {
    const target = await startRecordingTarget();
    const issuer = createTestIssuer();
    const next = 'the next secret, of at least thirty-two characters';
    const serveWith = (secret: unknown) => serveRemote(target.url, {}, { policy: { secret }, issuer });
    const before = await serveWith(SECRET);
    const ada = await open(before.url, before.bearer('ada'));
    const after = await serveWith([next, SECRET]);
    const response = await post(after.url, call(1, 'echo'), ada);
    expect(response.status).toBe(200);
    const renewed = { ...ada, 'mcp-session-id': response.headers.get('mcp-session-id') as string };
    expect(renewed['mcp-session-id']).not.toBe(ada['mcp-session-id']);
    const last = await serveWith(next);
    expect((await post(last.url, call(1, 'echo'), renewed)).status).toBe(200);
    expect((await post(last.url, call(1, 'echo'), ada)).status).toBe(404);
  });
});

test('without a secret, a session of before a restart is unknown', async () => {
  const target = await startRecordingTarget();
  const issuer = createTestIssuer();
  const before = await serveRemote(target.url, {}, { issuer });
  const ada = await open(before.url, before.bearer('ada'));
  const after = await serveRemote(target.url, {}, { issuer });
  expect((await post(after.url, call(1, 'echo'), ada)).status).toBe(404);
});

describe('the log says why a session is unknown, once a minute for each cause, and not which one', () => {
  const NOT_KEPT = 'this process does not know it: it has ended, or it was opened before a restart';
  const FOREIGN = 'it belongs to another user, or to another client or path of this user';
  const UNSIGNED = 'its id has no valid signature for this user, client and path';

  test.each<[string, Record<string, unknown>, user: string, (id: string) => string, cause: string]>([
    ['not kept', {}, 'ada', () => 'before-the-restart', NOT_KEPT],
    ['of another user', {}, 'bob', (id) => id, FOREIGN],
    ['of another user, signed', { secret: SECRET }, 'bob', (id) => id, FOREIGN],
    ['altered', { secret: SECRET }, 'ada', (id) => altered(id, -1), UNSIGNED],
    ['unsigned', { secret: SECRET }, 'ada', () => 'before-the-secret', UNSIGNED],
  ])('%s', async (_name, policy, user, idFor, cause) => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(`${target.url}?key=hush`, {}, { policy });
    const ada = await open(remote.url, remote.bearer('ada'));
    const id = idFor(ada['mcp-session-id'] ?? '');
    const named = { ...remote.bearer(user), 'mcp-session-id': id };
    for (let i = 0; i < 2; i++) expect((await post(`${remote.url}?a=b`, call(i, 'x'), named)).status).toBe(404);
    const [line = '', ...others] = remote.lines.filter((text) => text.includes('(unknown_session)'));
    expect(line).toMatch(`info mcpHttpBackend(): ${target.url}: a request to /mcp names a session`);
    expect(line).toContain(cause);
    expect(others).toEqual([]);
    expect(remote.lines.join()).not.toMatch(new RegExp(`hush|${id.replace(/\W/g, '.')}`));
  });
});

describe('a target that assigns', () => {
  const assign = (id: string) =>
    startRecordingTarget((_arrived, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': id }).end('{"result":"secret"}');
    });

  test.each([
    ['the same id to another user', 'same', 'is that of another caller'],
    ['an id with a blank', 'a b', 'is not valid in a header'],
    ['an id without end', 'x'.repeat(1_025), 'is not valid in a header'],
  ])('%s: 502, and nothing of the answer', async (_name, id, detail) => {
    const target = await assign(id);
    const remote = await serveRemote(target.url);
    await post(remote.url, initialize(), remote.bearer('ada'));
    const response = await post(remote.url, initialize(), remote.bearer('bob'));
    const text = await response.text();
    expect(response.status).toBe(502);
    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(JSON.parse(text).error.data.reason).toBe('target_malformed');
    expect(text).not.toContain('secret');
    expect(remote.lines.join('\n')).toContain(detail);
  });
});

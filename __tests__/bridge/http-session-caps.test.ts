import type { RequestHandler } from 'express';
import { describe, expect, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { serveRemote } from '../support/http-backend.js';
import { reasonOf } from '../support/mcp-answers.js';
import {
  call,
  type Headers,
  initialize,
  open,
  post,
  postStateless,
  statelessRequest,
} from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

describe('caps', () => {
  test('a session that no client uses makes room, and is ended at the target', async () => {
    const target = await startRecordingTarget();
    const headers = { 'x-key': 'of the application' };
    const remote = await serveRemote(target.url, { maxSessionsPerUser: 2, headers });
    const [first, second] = [
      await open(remote.url, remote.bearer('ada')),
      await open(remote.url, remote.bearer('ada')),
    ];
    const third = await open(remote.url, remote.bearer('ada'));
    await until(() => target.arrived.some(({ method }) => method === 'DELETE'));
    const end = target.arrived.find(({ method }) => method === 'DELETE');
    expect(end?.headers).toMatchObject({ 'mcp-session-id': 'session-1', 'x-key': 'of the application' });
    const statuses = [first, second, third].map(async (user) => (await post(remote.url, call(1, 'x'), user)).status);
    expect(await Promise.all(statuses)).toEqual([404, 200, 200]);
  });

  test.each([
    ['of one user', { maxSessionsPerUser: 1 }, 429, 'too_many_sessions_of_user'],
    ['of all', { maxSessions: 1 }, 503, 'too_many_sessions'],
  ])('where clients use all sessions %s, another one is refused and ended', async (_name, options, status, reason) => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, options);
    const ada = await open(remote.url, remote.bearer('ada'));
    const stream = await fetch(remote.url, { headers: ada });
    const response = await post(remote.url, initialize(), remote.bearer('ada'));
    expect(response.status).toBe(status);
    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(await reasonOf(response)).toBe(reason);
    await until(() => target.arrived.some(({ method }) => method === 'DELETE'));
    expect(target.arrived.at(-1)?.headers['mcp-session-id']).toBe('session-2');
    await stream.body?.cancel();
  });

  test('a client that left before the backend got its request uses no session, and nothing is sent on', async () => {
    const target = await startRecordingTarget();
    let isHungUp = false;
    const leaving = new AbortController();
    const passOnLate: RequestHandler = (req, _res, next) => {
      if (req.method !== 'GET') return next();
      req.socket.once('close', () => {
        isHungUp = true;
        setImmediate(next);
      });
      leaving.abort();
    };
    const remote = await serveRemote(target.url, { maxSessionsPerUser: 1 }, { before: [passOnLate] });
    const ada = await open(remote.url, remote.bearer('ada'));
    await expect(fetch(remote.url, { headers: ada, signal: leaving.signal })).rejects.toThrow();
    await until(() => isHungUp);
    await open(remote.url, remote.bearer('ada'));
    expect(target.arrived.map(({ method }) => method)).not.toContain('GET');
  });

  test('a user who opens many takes none of another’s', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, { maxSessionsPerUser: 3, maxSessions: 5 });
    const bob = await open(remote.url, remote.bearer('bob'));
    for (let i = 0; i < 8; i++) await open(remote.url, remote.bearer('ada'));
    expect((await post(remote.url, call(1, 'x'), bob)).status).toBe(200);
    expect(remote.backend.stats().sessions).toBe(4);
  });

  test('requests without a session, of revisions that have none, take no place', async () => {
    const target = await startRecordingTarget((_arrived, res) => {
      res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    const remote = await serveRemote(target.url, { maxSessionsPerUser: 1 });
    for (let i = 0; i < 3; i++) {
      const response = await postStateless(remote.url, statelessRequest(i, 'tools/list'), remote.bearer('ada'));
      expect(response.status).toBe(200);
    }
    expect(remote.backend.stats()).toEqual({ sessions: 0, streams: 0, pending: 0 });
  });
});

describe('sessions with a signed id, which another replica may serve', () => {
  const serveReplicas = async (options: object) => {
    const target = await startRecordingTarget();
    const surroundings = {
      issuer: createTestIssuer(),
      policy: { secret: 'a secret of at least thirty-two characters' },
    };
    const replica = () => serveRemote(target.url, { maxSessionsPerUser: 2, ...options }, surroundings);
    const [one, other] = [await replica(), await replica()];
    const ada = one.bearer('ada');
    const ended = () =>
      target.arrived.filter(({ method }) => method === 'DELETE').map(({ headers }) => headers['mcp-session-id']);
    const call1 = async (replica: { url: string }, session: Headers) =>
      (await post(replica.url, call(1, 'x'), session)).status;
    return { one, other, ended, call: call1, open: () => open(one.url, ada) };
  };

  test('one makes room at its first replica, and stays open for its client at the other', async () => {
    const { one, other, ended, call, open } = await serveReplicas({});
    const first = await open();
    const stream = await fetch(other.url, { headers: first });
    await open();
    expect(await call(other, first)).toBe(200);
    await open();
    expect(one.backend.stats().sessions).toBe(2);
    expect([await call(other, first), await call(one, first)]).toEqual([200, 200]);
    await one.backend.close();
    expect(ended()).toEqual([]);
    await stream.body?.cancel();
  });

  test('callers cannot open any number: of those that made room, no more stay open than the limit', async () => {
    const { one, ended, call, open } = await serveReplicas({});
    const sessions = [];
    for (let i = 0; i < 4; i++) sessions.push(await open());
    // Used again, the first one has not made room any more, and the third one has.
    expect(await call(one, sessions[0] as Headers)).toBe(200);
    await open();
    await until(() => ended().length > 0);
    await open();
    await until(() => ended().length > 1);
    expect(ended()).toEqual(['session-2', 'session-3']);
  });

  test('one that is used again while all others are in use counts as before', async () => {
    const { one, ended, call, open } = await serveReplicas({});
    const sessions = [];
    for (let i = 0; i < 4; i++) sessions.push(await open());
    const used = sessions.slice(2);
    const streams = await Promise.all(used.map((headers) => fetch(one.url, { headers })));
    expect(await call(one, sessions[1] as Headers)).toBe(429);
    await Promise.all(streams.map(({ body }) => body?.cancel()));
    await until(() => one.backend.stats().streams === 0);
    await open();
    await until(() => ended().length > 0);
    expect(ended()).toEqual(['session-1']);
  });
});

test('close() ends the sessions that no other process could serve', async () => {
  const target = await startRecordingTarget();
  const remote = await serveRemote(target.url);
  await open(remote.url, remote.bearer('ada'));
  await open(remote.url, remote.bearer('bob'));
  await remote.backend.close();
  const ended = target.arrived
    .filter(({ method }) => method === 'DELETE')
    .map(({ headers }) => headers['mcp-session-id']);
  expect(ended.toSorted()).toEqual(['session-1', 'session-2']);
});

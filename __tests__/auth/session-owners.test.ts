import { request as plainRequest } from 'node:http';
import express from 'express';
import { describe, expect, test } from 'vitest';
import { mcpAuth } from '../../src/index.js';
import type { AuthDecision } from '../../src/policy/auth-decision.js';
import { serve } from '../support/loopback-server.js';
import { sendRaw } from '../support/raw-request.js';
import {
  ask,
  createTrustingServer,
  sessionPolicy,
  startSessionApp,
  UNKNOWN_SESSION,
  userOf,
} from '../support/session-app.js';

const SECRET = 's'.repeat(32);
const signed = { sessionOwners: 'sign', secret: SECRET };
const KINDS = [
  ['remember', {}],
  ['sign', signed],
] as const;
const served = { status: 200, body: '{"served":true}' };
const VERBS = ['POST', 'GET', 'DELETE', 'PUT', 'HEAD'] as const;

describe.each(KINDS)('sessionOwners: %s', (_kind, options) => {
  test('the user who opened a session uses it, with every token and verb', async () => {
    const { url, open, seen } = await startSessionApp(options);
    const id = await open('alice');
    for (const method of VERBS) expect((await ask(url, 'alice', id, { method })).status).toBe(200);
    expect(seen.map(({ method }) => method)).toEqual(['POST', ...VERBS]);
  });

  test.each(VERBS)(
    'another user gets the 404 of an unknown session for %s, and the server sees nothing',
    async (method) => {
      const { url, open, seen } = await startSessionApp(options);
      const id = await open('alice');
      const body = method === 'HEAD' ? '' : UNKNOWN_SESSION.body;
      expect(await ask(url, 'bob', id, { method })).toEqual({ ...UNKNOWN_SESSION, body });
      expect(seen).toHaveLength(1);
      expect(await ask(url, 'alice', id)).toMatchObject(served);
    },
  );

  test.each<[who: string, owner: string | undefined, other: string | undefined, claims?: Record<string, unknown>]>([
    ['an anonymous caller', 'alice', undefined],
    ['a user, where an anonymous caller opened it', undefined, 'alice'],
    ['a user called as anonymous callers are', undefined, 'anonymous'],
    ['the same user with another client', 'alice', 'alice', { client_id: 'other' }],
  ])('refuses %s', async (_who, owner, other, claims) => {
    const { url, open } = await startSessionApp({ mode: 'optional', ...options });
    const id = await open(owner);
    const headers = other === undefined ? {} : userOf(other, claims);
    expect(await ask(url, undefined, id, { headers })).toEqual(UNKNOWN_SESSION);
    expect(await ask(url, owner, id)).toMatchObject(served);
  });

  test('a session of one path is unknown at another path', async () => {
    const { url, open } = await startSessionApp(options);
    const id = await open('alice');
    expect(await ask(`${url}/more`, 'alice', id)).toEqual(UNKNOWN_SESSION);
    for (const same of [`${url}/`, `${url}?x`, url.replace('/mcp', '/MCP')]) {
      expect(await ask(same, 'alice', id)).toMatchObject(served);
    }
  });

  test('a target in absolute form is the session of its path, and only for its owner', async () => {
    const { url, open } = await startSessionApp(options);
    const id = await open('alice');
    const { host, origin } = new URL(url);
    const statusOf = async (user: string, target: string) => {
      const { authorization } = userOf(user);
      const head = `Host: ${host}\r\nConnection: close\r\nAuthorization: ${authorization}\r\nMcp-Session-Id: ${id}`;
      return Number((await sendRaw(url, `GET ${target} HTTP/1.1\r\n${head}\r\n\r\n`)).split(' ')[1]);
    };
    expect(await statusOf('alice', url)).toBe(200);
    expect(await statusOf('bob', url)).toBe(404);
    expect(await statusOf('alice', `${url}/more`)).toBe(404);
    expect(await statusOf('alice', `${origin}//mcp`)).toBe(404);
  });

  test('a token comes first: without one, or with a bad one, the answer is 401', async () => {
    const { url, open } = await startSessionApp(options);
    const id = await open('alice');
    expect((await ask(url, undefined, id)).status).toBe(401);
    expect((await ask(url, 'bob', id, { headers: userOf('bob', { exp: 1 }) })).status).toBe(401);
  });

  test('a token that does not name its user owns what it opened, and no other token does', async () => {
    const { url } = await startSessionApp(options);
    const token = userOf('', { sub: undefined });
    const { id } = await ask(url, undefined, undefined, { headers: token });
    expect(await ask(url, undefined, id, { headers: token })).toMatchObject(served);
    expect(await ask(url, undefined, id, { headers: userOf('', { sub: undefined }) })).toEqual(UNKNOWN_SESSION);
  });

  test('of two ids in one request none counts', async () => {
    const { url, open, seen } = await startSessionApp({ ...options, mode: 'permissive' });
    const ids = [await open('alice'), await open('bob')];
    const status = await new Promise((resolve) => {
      const { hostname, port } = new URL(url);
      const headers = { ...userOf('bob'), 'mcp-session-id': ids };
      plainRequest({ hostname, port, path: '/mcp', method: 'POST', headers }, (res) => resolve(res.statusCode)).end();
    });
    expect(status).toBe(400);
    expect(seen).toHaveLength(2);
  });

  test.each([
    ['optional', 'optional'],
    ['strict', 'strict'],
  ] as const)('a refusal is recorded, in %s mode', async (_name, mode) => {
    const decisions: AuthDecision[] = [];
    const onDecision = (decision: AuthDecision) => void decisions.push(decision);
    const { url, open, lines } = await startSessionApp({ ...options, mode, onDecision });
    await ask(url, 'bob', await open('alice'));
    expect(decisions).toMatchObject([
      { outcome: 'passed', subject: 'alice' },
      { outcome: 'refused', code: 'unknown_session', subject: 'bob', mode },
    ]);
    expect(lines).toEqual([`info mcpAuth ${mode}: POST "/mcp" refused: unknown_session: Session not found {}`]);
  });

  test('permissive mode only records it', async () => {
    const decisions: AuthDecision[] = [];
    const onDecision = (decision: AuthDecision) => void decisions.push(decision);
    const { url, open, seen } = await startSessionApp({ ...options, mode: 'permissive', onDecision });
    const id = await open('alice');
    await ask(url, 'bob', id);
    expect(seen.at(-1)).toMatchObject({ user: 'bob', id });
    expect(decisions.at(-1)).toMatchObject({ outcome: 'would_refuse', code: 'unknown_session', subject: 'bob' });
    expect(await ask(url, 'alice', id)).toMatchObject(served);
  });

  test('a request without a session is not touched, with an empty id neither', async () => {
    const { url, seen } = await startSessionApp(options);
    for (const id of [undefined, '']) {
      const reply = await ask(url, 'alice', id);
      expect(await ask(url, 'alice', reply.id)).toMatchObject(served);
    }
    expect(seen.filter(({ id }) => !id)).toHaveLength(2);
  });

  test.each(['__proto__', 'constructor', 'hasOwnProperty', 'x'.repeat(12_000), '-', '.', ', ,', 'a.b'])(
    'an id that no server has assigned names no session: %.20s',
    async (id) => {
      const { url } = await startSessionApp(options);
      for (const user of ['alice', 'bob']) expect((await ask(url, user, id)).status).toBe(404);
    },
  );

  test('mounted twice, on the root and on the path, it works as mounted once', async () => {
    const { handle, seen, sessions } = createTrustingServer();
    const auth = mcpAuth(sessionPolicy(options));
    const app = express()
      .use(auth)
      .use('/mcp', auth, mcpAuth(sessionPolicy(options)), handle);
    const url = `${await serve(app)}/mcp`;
    const { id = '' } = await ask(url, 'alice');
    expect(id).toHaveLength(options === signed ? 80 : 36);
    expect(await ask(url, 'alice', id)).toEqual({ ...served, id });
    expect(await ask(url, 'bob', id)).toEqual(UNKNOWN_SESSION);
    expect(sessions).toContain(seen.at(-1)?.id);
  });
});

describe('sessionOwners: off', () => {
  test('leaves sessions to the server', async () => {
    const { url, open, sessions } = await startSessionApp({ sessionOwners: 'off', secret: SECRET });
    const id = await open('alice');
    expect(sessions).toContain(id);
    expect(await ask(url, 'bob', id)).toMatchObject(served);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuthInfo } from '../../src/core/auth-info.js';
import { type AuthenticatedBridge, ISSUER, startAuthenticatedBridge } from '../support/authenticated-bridge.js';
import { call, callText, initialize, open, post, statelessText } from '../support/mcp-requests.js';
import { createSigner } from '../support/signer.js';

type Claims = Readonly<Record<string, unknown>>;

const OTHER_ISSUER = 'https://other.example';
const otherSigner = createSigner();

/** The claims of two tokens, and whether these share a client's session and a user's quota. */
type Row = [what: string, first: Claims, second: Claims, sameSession: boolean, sameUser: boolean];

const rows: Row[] = [
  ['nothing missing: two users', { sub: 'a', client_id: 'c' }, { sub: 'b', client_id: 'c' }, false, false],
  [
    'nothing missing: one user, a renewed token',
    { sub: 'a', client_id: 'c' },
    { sub: 'a', client_id: 'c' },
    true,
    true,
  ],
  ['nothing missing: one user, two clients', { sub: 'a', client_id: 'c' }, { sub: 'a', client_id: 'd' }, false, true],
  ['no sub, with client_id', { client_id: 'c' }, { client_id: 'c' }, false, false],
  ['no sub, with azp', { azp: 'c' }, { azp: 'c' }, false, false],
  ['no sub, with cid', { cid: 'c' }, { cid: 'c' }, false, false],
  ['no sub, with the claims of a person', { azp: 'c', email: 'a@x' }, { azp: 'c', email: 'a@x' }, false, false],
  ['an empty sub', { sub: '', client_id: 'c' }, { sub: '', client_id: 'c' }, false, false],
  ['a sub in one of two', { sub: 'a', client_id: 'c' }, { client_id: 'c' }, false, false],
  ['no sub and no client', {}, {}, false, false],
  ['no client: two users', { sub: 'a' }, { sub: 'b' }, false, false],
  ['no client: one user, a renewed token', { sub: 'a' }, { sub: 'a' }, true, true],
  ['a client in one of two', { sub: 'a', client_id: 'c' }, { sub: 'a' }, false, true],
  ['one sub at two issuers', { sub: 'a' }, { sub: 'a', iss: OTHER_ISSUER }, false, false],
  ['a sub that looks like a token without one', { sub: '{"token":"x"}' }, { sub: '{"token":"y"}' }, false, false],
];

/** With `subjectClaim: 'oid'`. */
const named: Row[] = [
  ['two users', { oid: 'a', client_id: 'c' }, { oid: 'b', client_id: 'c' }, false, false],
  ['one user, a renewed token', { oid: 'a', client_id: 'c' }, { oid: 'a', client_id: 'c' }, true, true],
  ['one sub, two users', { oid: 'a', sub: 's' }, { oid: 'b', sub: 's' }, false, false],
  ['one user, two subs', { oid: 'a', sub: 's' }, { oid: 'a', sub: 't' }, true, true],
  ['none, with sub', { sub: 's', client_id: 'c' }, { sub: 's', client_id: 'c' }, false, false],
];

const CALLER = (auth: AuthInfo | undefined) => ({ STATELESS: '1', CALLER: auth?.token ?? 'none' });

describe.each<[string, Row[], Claims]>([
  ['with the default claims', rows, {}],
  ['where subjectClaim names another claim', named, { subjectClaim: 'oid' }],
])('the user of a token, %s', (_title, table, policy) => {
  let bridge: AuthenticatedBridge;
  let oneEach: AuthenticatedBridge;
  beforeAll(async () => {
    const own = createSigner();
    const issuers = [
      { issuer: ISSUER, audiences: ['mcp'], jwks: { keys: [own.jwk] }, ...policy },
      { issuer: OTHER_ISSUER, audiences: ['mcp'], jwks: { keys: [otherSigner.jwk] }, ...policy },
    ];
    const start = async (options: object) => {
      const started = await startAuthenticatedBridge({ env: CALLER, ...options }, { issuers });
      const bearer = (claims: Claims) => started.bearer(claims, claims.iss === undefined ? own : otherSigner);
      return { ...started, bearer };
    };
    bridge = await start({ maxSessionsPerUser: 1_000, maxSessions: 1_000 });
    oneEach = await start({ maxSessionsPerUser: 1, maxSessions: 1_000 });
  });
  afterAll(async () => {
    await bridge.stop();
    await oneEach.stop();
  });

  test.each(table)('session: %s', async (_what, first, second, sameSession) => {
    const { url } = bridge;
    const { 'mcp-session-id': id = '' } = await open(url, bridge.bearer(first));
    const foreign = { ...bridge.bearer(second), 'mcp-session-id': id };
    expect((await post(url, call(1, 'echo'), foreign)).status).toBe(sameSession ? 200 : 404);
  });

  test.each(table)('child, with its env: %s', async (_what, first, second, sameSession) => {
    const { url } = bridge;
    const startedFor = async (claims: Claims) =>
      JSON.parse(await statelessText(url, 'env', {}, bridge.bearer(claims))).CALLER;
    expect((await startedFor(first)) === (await startedFor(second))).toBe(sameSession);
  });

  test.each(table)('cache of verified tokens: %s', async (_what, first, second) => {
    const [one, other] = [bridge.bearer({ ...first, jti: '1' }), bridge.bearer({ ...second, jti: '2' })];
    for (const bearer of [one, other, one, other]) {
      const { 'mcp-session-id': id = '' } = await open(bridge.url, bearer);
      const session = { ...bearer, 'mcp-session-id': id };
      const caller = JSON.parse(await callText(bridge.url, session, 'env')).CALLER;
      expect(`Bearer ${caller}`).toBe(bearer.authorization);
    }
  });

  test.each(table)('quota: %s', async (_what, first, second, _sameSession, sameUser) => {
    const { url } = oneEach;
    const session = await open(url, oneEach.bearer(first));
    const stream = await fetch(url, { headers: { ...session, accept: 'text/event-stream' } });
    const response = await post(url, initialize(), oneEach.bearer(second));
    expect(response.status).toBe(sameUser ? 429 : 200);
    await stream.body?.cancel();
    await fetch(url, { method: 'DELETE', headers: session });
  });
});

test('a token without iss, or with identity claims that are not strings, is refused', async () => {
  const { url, bearer, stop } = await startAuthenticatedBridge({}, { subjectClaim: 'oid' });
  const faults = [{ iss: undefined }, { sub: 1 }, { oid: 1 }, { oid: null }, { client_id: null }, { azp: ['c'] }];
  for (const claims of faults) expect((await post(url, initialize(), bearer(claims))).status).toBe(401);
  await stop();
});

test('a token without a subject is a user of its own, and the log warns once', async () => {
  const { url, bearer, lines, stop } = await startAuthenticatedBridge();
  const [one, two] = [bearer({ azp: 'c' }), bearer({ azp: 'c' })];
  const session = await open(url, one);
  expect(await callText(url, session, 'echo')).toBe('{}');
  expect((await post(url, call(1, 'echo'), { ...session, ...two })).status).toBe(404);
  expect((await post(url, call(1, 'echo'), { ...session, ...one })).status).toBe(200);
  const warnings = lines.filter((line) => line.startsWith('warn '));
  expect(warnings).toEqual([expect.stringContaining('has no claim "sub". Each such token counts as a separate user')]);
  expect(warnings[0]).toContain('subjectClaim');
  await stop();
});

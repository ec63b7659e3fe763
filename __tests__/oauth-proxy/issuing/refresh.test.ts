import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createMemoryStore } from '../../../src/index.js';
import {
  refreshAt,
  registerAt,
  SECRET,
  startIssuingFlow,
  startIssuingServer,
  tokensOf,
} from '../../support/issuing-flow.js';
import type { OpaqueLoginBehaviour } from '../../support/opaque-login-server.js';

const DAY = 86_400;

// The clock stands still, except where a test lets time pass.
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'Date'], now: Date.now() }));
afterEach(() => void vi.useRealTimers());

/** Lets time pass, for this process and for the servers in it. */
function pass(seconds: number): void {
  vi.advanceTimersByTime(seconds * 1_000);
}

describe.each<[string, OpaqueLoginBehaviour]>([
  ['rotates refresh tokens', { expiresIn: 28_800, refresh: 'rotates' }],
  ['keeps refresh tokens', { expiresIn: 3_600, refresh: 'keeps' }],
  ['has no refresh tokens', {}],
])('an identity provider that %s', (_name, behaviour) => {
  test('gives a client new tokens, again and again', async () => {
    const { server, client } = await startIssuingFlow(behaviour);
    let { body } = await tokensOf(client);
    const subject = (await server.call(body.access_token)).body.subject;
    for (let i = 0; i < 3; i++) {
      const { status, body: newer } = await refreshAt(server, client, body.refresh_token);
      expect(status, JSON.stringify(newer)).toBe(200);
      expect(newer.access_token).not.toBe(body.access_token);
      expect(newer.refresh_token).not.toBe(body.refresh_token);
      expect((await server.call(newer.access_token)).body.subject).toBe(subject);
      body = newer;
    }
  });

  test('ends the login when the user withdraws the grant there', async () => {
    const { upstream, server, client } = await startIssuingFlow(behaviour);
    const { body } = await tokensOf(client);
    upstream.accessTokens.clear();
    upstream.refreshTokens.clear();
    expect((await refreshAt(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
  });

  test('ends no login by an outage', async () => {
    const { upstream, server, client } = await startIssuingFlow(behaviour);
    const { body } = await tokensOf(client);
    upstream.state.isDown = true;
    expect((await refreshAt(server, client, body.refresh_token)).status).toBe(503);
    upstream.state.isDown = false;
    expect((await refreshAt(server, client, body.refresh_token)).status).toBe(200);
  });

  test('a client that refreshes twice at once, or again within a minute, gets the same answer', async () => {
    const { upstream, server, client } = await startIssuingFlow(behaviour);
    const { body } = await tokensOf(client);
    const refresh = () => refreshAt(server, client, body.refresh_token);
    const [one, two] = await Promise.all([refresh(), refresh()]);
    pass(59);
    const three = await refresh();
    expect([two.body, three.body]).toEqual([one.body, one.body]);
    expect(upstream.requests.filter(({ path }) => path === 'GET /api/v3/user')).toHaveLength(2);
  });

  test('two refreshes with one token get the scopes that each asks for', async () => {
    const { server, client } = await startIssuingFlow(behaviour);
    const { body } = await tokensOf(client);
    const refresh = (scope?: string) =>
      refreshAt(server, client, body.refresh_token, scope === undefined ? {} : { scope });
    const atOnce = await Promise.all([refresh(), refresh('mcp.read')]);
    pass(59);
    const answers = [...atOnce, await refresh('mcp.write'), await refresh('mcp.write mcp.read')];
    const expected = ['mcp.read mcp.write', 'mcp.read', 'mcp.write', 'mcp.read mcp.write'];
    expect(answers.map((each) => each.body.scope)).toEqual(expected);
    const accepted = await Promise.all(answers.map((each) => server.call(each.body.access_token)));
    expect(accepted.map((each) => (each.body.scopes as string[]).join(' '))).toEqual(expected);
    expect(new Set(answers.map((each) => each.body.refresh_token)).size, 'one refresh token').toBe(1);
    expect((await refreshAt(server, client, answers[1]?.body.refresh_token)).body.scope).toBe(expected[0]);
  });

  test('a refresh token that is used again later ends the login', async () => {
    const { server, client } = await startIssuingFlow(behaviour);
    const { body } = await tokensOf(client);
    const newer = (await refreshAt(server, client, body.refresh_token)).body;
    pass(61);
    expect((await refreshAt(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
    expect((await refreshAt(server, client, newer.refresh_token)).body.error).toBe('invalid_grant');
    expect((await server.call(newer.access_token)).body.error).toBe('invalid_token');
    expect((await tokensOf(client)).status, 'the user can log in again').toBe(200);
  });
});

test('a login ends after 30 days', async () => {
  const { server, client } = await startIssuingFlow();
  let { body } = await tokensOf(client);
  pass(29 * DAY);
  body = (await refreshAt(server, client, body.refresh_token)).body;
  expect(body.expires_in).toBe(3_600);
  pass(DAY - 600);
  body = (await refreshAt(server, client, body.refresh_token)).body;
  expect(body.expires_in).toBeLessThanOrEqual(600);
  pass(601);
  expect((await refreshAt(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
});

test('a token never outlives that of the identity provider', async () => {
  const { server, client } = await startIssuingFlow({ expiresIn: 300, refresh: 'none' });
  const { body } = await tokensOf(client);
  expect(body.expires_in).toBeLessThanOrEqual(300);
  pass(301);
  expect((await refreshAt(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
});

test('an expired token is refused', async () => {
  const { server, client } = await startIssuingFlow();
  const { body } = await tokensOf(client);
  pass(3_600 + 29);
  expect((await server.call(body.access_token)).status).toBe(200);
  pass(2);
  expect((await server.call(body.access_token)).body.error_description).toBe('The token has expired');
});

test('the rule is asked at each refresh, about the user as it is then', async () => {
  const allow = ({ suspended }: Record<string, unknown>) => suspended !== true;
  const { upstream, server, client } = await startIssuingFlow({}, { github: { allow } });
  const { body } = await tokensOf(client);
  upstream.state.profile = { suspended: true };
  expect((await refreshAt(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
});

test('a token of another user ends the login', async () => {
  const { upstream, server, client } = await startIssuingFlow();
  const { body } = await tokensOf(client);
  upstream.state.profile = { id: 1 };
  expect((await refreshAt(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
});

test('a client can ask for fewer scopes, and not for more', async () => {
  const { server, client } = await startIssuingFlow();
  const { body } = await tokensOf(client, { scope: 'mcp.read' });
  const more = await refreshAt(server, client, body.refresh_token, { scope: 'mcp.read mcp.write' });
  expect(more.body.error).toBe('invalid_scope');
  const { client: second } = { client: await registerAt(server) };
  const all = (await tokensOf(second)).body;
  const fewer = (await refreshAt(server, second, all.refresh_token, { scope: 'mcp.read' })).body;
  expect(fewer.scope).toBe('mcp.read');
  expect((await server.call(fewer.access_token)).body.scopes).toEqual(['mcp.read']);
  expect((await refreshAt(server, second, fewer.refresh_token)).body.scope).toBe('mcp.read mcp.write');
});

test('a refresh says so if this server no longer has the scopes of the login', async () => {
  const { upstream, server, client } = await startIssuingFlow();
  const { body } = await tokensOf(client, { scope: 'mcp.read' });
  const resourceMetadata = { resource: `${server.origin}/mcp`, scopesSupported: ['mcp.write'] };
  const reloaded = await startIssuingServer(upstream, { policy: { resourceMetadata } });
  expect((await refreshAt(reloaded, client, body.refresh_token)).body.scope).toBe('');
});

test.each<[string, (tokens: Record<string, unknown>) => unknown]>([
  ['an access token', ({ access_token: token }) => token],
  ['an altered one', ({ refresh_token: token }) => `${String(token).slice(0, -4)}AAAA`],
])('%s is no refresh token', async (_name, tokenIn) => {
  const { server, client } = await startIssuingFlow();
  const { body } = await tokensOf(client);
  expect((await refreshAt(server, client, tokenIn(body))).body.error).toBe('invalid_grant');
});

test('a refresh token is good for its client only', async () => {
  const { server, client } = await startIssuingFlow();
  const { body } = await tokensOf(client);
  const other = await registerAt(server);
  expect((await refreshAt(server, other, body.refresh_token)).body.error).toBe('invalid_grant');
  expect((await refreshAt(server, client, body.refresh_token)).status).toBe(200);
});

test('a server without a store says so at the start', async () => {
  const { server } = await startIssuingFlow();
  const said = server.lines.filter((line) => line.includes('no store'));
  expect(said).toEqual([
    'info OAuth proxy: the policy has no store, so a refresh token can be used once in each process, and a revocation applies in one process',
  ]);
  const { server: other } = await startIssuingFlow({}, { store: createMemoryStore() });
  expect(other.lines).toEqual([]);
});

test('a rotated secret of this server ends no login', async () => {
  const { upstream, server, client } = await startIssuingFlow();
  const { body } = await tokensOf(client);
  const policy = {
    resourceMetadata: { resource: `${server.origin}/mcp` },
    oauthProxy: { secret: [`new ${SECRET}`, SECRET] },
  };
  const rotated = await startIssuingServer(upstream, { policy });
  expect((await refreshAt(rotated, client, body.refresh_token)).status).toBe(200);
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createMemoryStore } from '../../../src/index.js';
import { refreshAt, revokeAt, startIssuingFlow, startIssuingServer, tokensOf } from '../../support/issuing-flow.js';

// The clock stands still, except where a test lets time pass.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'], now: Date.now() });
  vi.advanceTimersByTime(1_000);
});
afterEach(() => void vi.useRealTimers());

/**
 * Lets a refresh fail after the identity provider has rotated its refresh token, whose access token lives for `expiresIn` seconds. Undefined: it does
 * not say.
 */
async function failInRefresh(expiresIn: number | undefined) {
  const store = createMemoryStore();
  const lifetime = expiresIn === undefined ? {} : { expiresIn };
  const { upstream, server, client } = await startIssuingFlow({ ...lifetime, refresh: 'rotates' }, { store });
  const policy = { resourceMetadata: { resource: `${server.origin}/mcp` } };
  const other = await startIssuingServer(upstream, { store, policy });
  const { body } = await tokensOf(client);
  upstream.state.profile = { id: 'unreadable' };
  expect((await refreshAt(server, client, body.refresh_token)).status).toBe(502);
  upstream.state.profile = {};
  return { upstream, server, other, client, body };
}

test('an outage in the middle of a refresh ends no login: another replica goes on', async () => {
  const { upstream, server, other, client, body } = await failInRefresh(28_800);
  const { status, body: newer } = await refreshAt(other, client, body.refresh_token);
  expect(status, JSON.stringify(newer)).toBe(200);
  // A provider that sees a rotated refresh token again may end the login.
  expect(upstream.requests.filter(({ form }) => form.grant_type === 'refresh_token')).toHaveLength(1);
  expect((await refreshAt(server, client, newer.refresh_token)).status).toBe(200);
});

test.each(['another replica', 'the same one'])(
  'an outage in a refresh ends no login: %s goes on, though the access token has expired',
  async (who) => {
    const { upstream, server, other, client, body } = await failInRefresh(300);
    vi.advanceTimersByTime(360_000);
    const { status, body: newer } = await refreshAt(
      who === 'the same one' ? server : other,
      client,
      body.refresh_token,
    );
    expect(status, JSON.stringify(newer)).toBe(200);
    const sent = upstream.requests.filter(({ form }) => form.grant_type === 'refresh_token');
    expect(new Set(sent.map(({ form }) => form.refresh_token)).size).toBe(2);
  },
);

test.each(['another replica', 'the same one'])(
  'an access token that ends while the profile is read after an outage ends no login: %s renews it before',
  async (who) => {
    const { upstream, server, other, client, body } = await failInRefresh(120);
    vi.advanceTimersByTime(117_000);
    // Three seconds pass at each look at the profile.
    const slow = { get: () => void vi.advanceTimersByTime(3_000), enumerable: true };
    upstream.state.profile = Object.defineProperty({}, 'bio', slow);
    const replica = who === 'the same one' ? server : other;
    const { status, body: newer } = await refreshAt(replica, client, body.refresh_token);
    expect(status, JSON.stringify(newer)).toBe(200);
    expect((await refreshAt(replica, client, newer.refresh_token)).status).toBe(200);
  },
);

test.each<[string, readonly ('server' | 'other')[]]>([
  ['the same one', ['server', 'server', 'server']],
  ['another replica', ['server', 'server', 'other']],
  ['the first one', ['server', 'other', 'server']],
  ['the third time another one', ['server', 'other', 'server', 'other']],
])('an outage that outlasts two access tokens ends no login: %s goes on with the newest', async (_who, order) => {
  const { upstream, client, body, ...replicas } = await failInRefresh(120);
  const sent = () => upstream.requests.flatMap(({ form }) => form.refresh_token ?? []);
  upstream.state.profile = { id: 'unreadable' };
  for (const name of order.slice(1, -1)) {
    vi.advanceTimersByTime(130_000);
    expect((await refreshAt(replicas[name], client, body.refresh_token)).status).toBe(502);
  }
  upstream.state.profile = {};
  const last = replicas[order.at(-1) ?? 'server'];
  const { status, body: newer } = await refreshAt(last, client, body.refresh_token);
  expect(status, JSON.stringify(newer)).toBe(200);
  expect(sent(), 'each is sent once').toEqual([...new Set(sent())]);
  expect((await refreshAt(replicas.server, client, newer.refresh_token)).status).toBe(200);
});

test('in an outage, replicas agree on the end of an access token that has none: none goes on with an earlier one', async () => {
  const { upstream, server, other, client, body } = await failInRefresh(undefined);
  upstream.state.profile = { id: 'unreadable' };
  for (const [replica, seconds] of [
    [other, 300],
    [server, 400],
  ] as const) {
    vi.advanceTimersByTime(seconds * 1_000);
    expect((await refreshAt(replica, client, body.refresh_token)).status).toBe(502);
  }
  upstream.state.profile = {};
  vi.advanceTimersByTime(60_000);
  const { status, body: newer } = await refreshAt(other, client, body.refresh_token);
  expect(status, JSON.stringify(newer)).toBe(200);
  expect((await refreshAt(other, client, newer.refresh_token)).status).toBe(200);
});

test.each([
  ['the same one', 'server', 28_800],
  ['another replica', 'other', 28_800],
  ['another replica', 'other', 300],
] as const)('an outage of a week ends no login: %s goes on (%s, tokens of %d s)', async (_who, name, expiresIn) => {
  const { upstream, client, body, ...replicas } = await failInRefresh(expiresIn);
  vi.advanceTimersByTime(7 * 86_400_000);
  const { status, body: newer } = await refreshAt(replicas[name], client, body.refresh_token);
  expect(status, JSON.stringify(newer)).toBe(200);
  const sent = upstream.requests.flatMap(({ form }) => form.refresh_token ?? []);
  expect(sent, 'each is sent once').toEqual([...new Set(sent)]);
});

test('a store that fails while an outage interrupts a refresh gets the answer at the next attempt', async () => {
  const memory = createMemoryStore();
  const state = { isDown: true };
  const requireUp = (key: string) => {
    if (state.isDown && key.startsWith('refresh interrupted')) throw new Error('down');
  };
  const store = {
    ...memory,
    add(...given: Parameters<typeof memory.add>) {
      requireUp(given[0]);
      return memory.add(...given);
    },
  };
  const behaviour = { expiresIn: 28_800, refresh: 'rotates' } as const;
  const { upstream, server, client } = await startIssuingFlow(behaviour, { store });
  const policy = { resourceMetadata: { resource: `${server.origin}/mcp` } };
  const other = await startIssuingServer(upstream, { store, policy });
  const { body } = await tokensOf(client);
  upstream.state.profile = { id: 'unreadable' };
  expect((await refreshAt(server, client, body.refresh_token)).status, 'as without the store').toBe(502);
  state.isDown = false;
  vi.advanceTimersByTime(2_000);
  expect((await refreshAt(server, client, body.refresh_token)).status).toBe(502);
  upstream.state.profile = {};
  vi.advanceTimersByTime(3_600_000);
  expect((await refreshAt(other, client, body.refresh_token)).status).toBe(200);
});

test.each(['the same one', 'another replica'])(
  'a login that is revoked after an outage in its refresh ends at the identity provider: at %s',
  async (who) => {
    const { upstream, server, other, client, body } = await failInRefresh(28_800);
    vi.advanceTimersByTime(3_600_000);
    const before = [...upstream.accessTokens.keys()];
    await revokeAt(who === 'the same one' ? server : other, client, body.refresh_token);
    expect(before.length - upstream.accessTokens.size).toBe(1);
    expect(upstream.accessTokens.has(before.at(-1) ?? ''), 'the newest').toBe(false);
  },
);

test('an access token whose end is not known is not used long after an outage in a refresh', async () => {
  const { upstream, server, client } = await startIssuingFlow({ refresh: 'rotates' });
  const { body } = await tokensOf(client);
  upstream.state.profile = { id: 'unreadable' };
  expect((await refreshAt(server, client, body.refresh_token)).status).toBe(502);
  vi.advanceTimersByTime(3_600_000);
  upstream.state.profile = {};
  upstream.accessTokens.clear();
  expect((await refreshAt(server, client, body.refresh_token)).status).toBe(200);
});

test('an outage in a refresh that lasts until another policy, as after a reload, ends no login', async () => {
  const { upstream, server, client } = await startIssuingFlow({ expiresIn: 28_800, refresh: 'rotates' });
  const { body } = await tokensOf(client);
  upstream.state.profile = { id: 'unreadable' };
  expect((await refreshAt(server, client, body.refresh_token)).status).toBe(502);
  vi.advanceTimersByTime(86_400_000);
  upstream.state.profile = {};
  const policy = { resourceMetadata: { resource: `${server.origin}/mcp` } };
  const next = await startIssuingServer(upstream, { github: { allow: () => 1 < 2 }, policy });
  expect((await refreshAt(next, client, body.refresh_token)).status).toBe(200);
});

/** The number of renewals in the memory of this process that policies without a store share. */
function renewalsInMemory(): number {
  const { formats } = (globalThis as never)[Symbol.for('express-mcp-auth')] as {
    readonly formats: ReadonlyMap<number, ReadonlyMap<string, unknown>>;
  };
  const [values] = formats.values();
  return (values as ReadonlyMap<string, { readonly size: number }>).get('renewals of logins')?.size ?? Number.NaN;
}

test.each<[end: string, act: (flow: Awaited<ReturnType<typeof startIssuingFlow>>, token: unknown) => Promise<unknown>]>(
  [
    ['goes on', ({ server, client }, token) => refreshAt(server, client, token)],
    ['is revoked by its client', ({ server, client }, token) => revokeAt(server, client, token)],
    [
      'is ended by the identity provider',
      ({ upstream, server, client }, token) => {
        upstream.accessTokens.clear();
        return refreshAt(server, client, token);
      },
    ],
  ],
)('tokens of a refresh that an outage interrupted leave the memory once its login %s', async (_end, act) => {
  const flow = await startIssuingFlow({ expiresIn: 28_800, refresh: 'rotates' });
  const { body } = await tokensOf(flow.client);
  const before = renewalsInMemory();
  flow.upstream.state.profile = { id: 'unreadable' };
  expect((await refreshAt(flow.server, flow.client, body.refresh_token)).status).toBe(502);
  expect(renewalsInMemory() - before).toBe(1);
  flow.upstream.state.profile = {};
  await act(flow, body.refresh_token);
  expect(renewalsInMemory() - before).toBe(0);
});

test('a revocation that the identity provider did not hear ends the newest tokens at the next attempt', async () => {
  const { upstream, server, client } = await startIssuingFlow({ expiresIn: 28_800, refresh: 'rotates' });
  const { body } = await tokensOf(client);
  upstream.state.profile = { id: 'unreadable' };
  await refreshAt(server, client, body.refresh_token);
  const newest = [...upstream.accessTokens.keys()].at(-1) ?? '';
  upstream.state.isDown = true;
  expect(await revokeAt(server, client, body.refresh_token)).toBe(503);
  upstream.state.isDown = false;
  expect(await revokeAt(server, client, body.refresh_token)).toBe(200);
  expect(upstream.accessTokens.has(newest)).toBe(false);
});

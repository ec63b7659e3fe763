import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createMemoryStore, type Store } from '../../../src/index.js';
import {
  forgetOwnMemory,
  refreshAt,
  revokeAt,
  startIssuingFlow,
  startIssuingServer,
  tokensOf,
} from '../../support/issuing-flow.js';
import type { OpaqueLoginBehaviour } from '../../support/opaque-login-server.js';

// The clock stands still, except where a test lets time pass.
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'Date'], now: Date.now() }));
afterEach(() => void vi.useRealTimers());

type RaiseParameters = Parameters<Required<Store>['raise']>;

describe.each<OpaqueLoginBehaviour>([
  {},
  { expiresIn: 28_800, refresh: 'rotates' },
  { expiresIn: 28_800, refresh: 'rotates', tokenPadding: 4_200 },
])('replicas with a store, %j', (behaviour) => {
  const startReplicas = async () => {
    const store = createMemoryStore();
    const { upstream, server: one, client } = await startIssuingFlow(behaviour, { store });
    const policy = { resourceMetadata: { resource: `${one.origin}/mcp` } };
    const two = await startIssuingServer(upstream, { store, policy });
    return { one, two, client, store, upstream };
  };

  test('give the same answer to a refresh token that is used at both at once', async () => {
    const { one, two, client } = await startReplicas();
    const { body } = await tokensOf(client);
    const answers = await Promise.all([one, two].map((each) => refreshAt(each, client, body.refresh_token)));
    expect(answers[0]?.status).toBe(200);
    expect(answers[1]?.body).toEqual(answers[0]?.body);
    expect((await refreshAt(two, client, answers[0]?.body.refresh_token)).status).toBe(200);
  });

  test('give each refresh its own scopes', async () => {
    const { one, two, client } = await startReplicas();
    const { body } = await tokensOf(client);
    const at = (server: typeof one, scope: string) => refreshAt(server, client, body.refresh_token, { scope });
    const answers = [...(await Promise.all([at(one, 'mcp.read'), at(two, 'mcp.write')])), await at(one, 'mcp.write')];
    const accepted = await Promise.all(answers.map((each) => two.call(each.body.access_token)));
    expect(accepted.map((each) => each.body.scopes)).toEqual([['mcp.read'], ['mcp.write'], ['mcp.write']]);
    expect(new Set(answers.map((each) => each.body.refresh_token)).size, 'one refresh token').toBe(1);
  });

  test('end a login whose refresh token is used again later at the other', async () => {
    const { one, two, client } = await startReplicas();
    const { body } = await tokensOf(client);
    const newer = (await refreshAt(one, client, body.refresh_token)).body;
    vi.advanceTimersByTime(61_000);
    expect((await refreshAt(two, client, body.refresh_token)).body.error).toBe('invalid_grant');
    forgetOwnMemory();
    await expect.poll(async () => (await one.call(newer.access_token)).status).toBe(401);
    expect((await refreshAt(one, client, newer.refresh_token)).body.error).toBe('invalid_grant');
  });
});

test('an OAuth proxy without an mcpAuth() of its policy knows the logins that were revoked, and tells others', async () => {
  const store = createMemoryStore();
  const { upstream, server, client } = await startIssuingFlow({}, { store, isProxyApart: true });
  const policy = { resourceMetadata: { resource: `${server.origin}/mcp` } };
  const other = await startIssuingServer(upstream, { store, policy, isProxyApart: true });
  const { body } = await tokensOf(client);
  expect((await server.call(body.access_token)).status).toBe(200);
  await revokeAt(server, client, body.access_token);
  forgetOwnMemory();
  await expect.poll(async () => (await server.call(body.access_token)).status).toBe(401);
  expect((await refreshAt(other, client, body.refresh_token)).body.error).toBe('invalid_grant');
});

test('an answer in the store that was copied to the place of another login is not given out', async () => {
  const values = new Map<string, string>();
  const planted: { answer?: string | undefined } = {};
  const memory = createMemoryStore();
  const store = {
    ...memory,
    get: (key: string) => (key.startsWith('refresh answer') && planted.answer) || values.get(key),
    add: (key: string, value: string) => !values.has(key) && values.set(key, value) === values,
  };
  const { server, client } = await startIssuingFlow({}, { store });
  const [victim, thief] = [(await tokensOf(client)).body, (await tokensOf(client)).body];
  await refreshAt(server, client, victim.refresh_token);
  planted.answer = [...values].find(([key]) => key.startsWith('refresh answer'))?.[1];
  expect(planted.answer).toBeDefined();
  const { body } = await refreshAt(server, client, thief.refresh_token);
  const own = (await server.call(thief.access_token)).body.payload as { sid: string };
  expect((await server.call(body.access_token)).body.payload).toMatchObject({ sid: own.sid });
});

test('the store learns no token', async () => {
  const seen: string[] = [];
  const store = createMemoryStore();
  const watched = {
    ...store,
    add(...given: Parameters<typeof store.add>) {
      seen.push(...given.map(String));
      return store.add(...given);
    },
    raise(...given: RaiseParameters) {
      seen.push(...given.map(String));
      return store.raise?.(...given);
    },
  };
  const { upstream, server, client } = await startIssuingFlow(
    { expiresIn: 600, refresh: 'rotates' },
    { store: watched },
  );
  const { body } = await tokensOf(client);
  const newer = (await refreshAt(server, client, body.refresh_token)).body;
  expect(seen.length).toBeGreaterThan(0);
  const secrets = [...upstream.accessTokens.keys(), ...upstream.refreshTokens.keys()];
  const texts = [...secrets, body.access_token, body.refresh_token, newer.access_token, newer.refresh_token];
  for (const secret of texts) expect(seen.join('\n')).not.toContain(secret);
});

test('a store that is down refuses refreshes for a while, and ends no login', async () => {
  const state = { isDown: false };
  const memory = createMemoryStore();
  const current = () => {
    if (state.isDown) throw new Error('down');
    return memory;
  };
  const store = {
    ...memory,
    get: (key: string) => current().get(key),
    add: (...given: Parameters<typeof memory.add>) => current().add(...given),
    raise: (...given: RaiseParameters) => current().raise?.(...given),
  };
  const { server, client } = await startIssuingFlow({}, { store });
  const { body } = await tokensOf(client);
  state.isDown = true;
  expect((await refreshAt(server, client, body.refresh_token)).status).toBe(503);
  state.isDown = false;
  vi.advanceTimersByTime(2_000);
  expect((await refreshAt(server, client, body.refresh_token)).status).toBe(200);
});

test('a replica that looks while another one refreshes gets the same answer', async () => {
  const memory = createMemoryStore();
  const { upstream, server: one, client } = await startIssuingFlow({}, { store: memory });
  const { body } = await tokensOf(client);
  const answers: unknown[] = [];
  const store = {
    ...memory,
    async get(key: string) {
      const refreshes = key.startsWith('refresh last') && answers.length === 0;
      if (refreshes) answers.push((await refreshAt(one, client, body.refresh_token)).body);
      return memory.get(key);
    },
  };
  const policy = { resourceMetadata: { resource: `${one.origin}/mcp` } };
  const two = await startIssuingServer(upstream, { store, policy });
  answers.push((await refreshAt(two, client, body.refresh_token)).body);
  expect(answers).toEqual([expect.objectContaining({ token_type: 'Bearer' }), answers[0]]);
});

test.each([
  ['with raise()', true],
  ['without raise()', false],
])('a refresh token is used up even if a store %s failed before it noted that', async (_case, canRaise) => {
  const memory = createMemoryStore();
  const state = { isDown: true };
  const requireUp = (key: string) => {
    if (state.isDown && /^refresh (last|spent)/.test(key)) throw new Error('down');
  };
  const store = {
    ...memory,
    add(...given: Parameters<typeof memory.add>) {
      requireUp(given[0]);
      return memory.add(...given);
    },
    raise(...given: RaiseParameters) {
      requireUp(given[0]);
      return memory.raise?.(...given);
    },
  };
  const { raise: _, ...withoutRaise } = store;
  const { server, client } = await startIssuingFlow({}, { store: canRaise ? store : withoutRaise });
  const { body } = await tokensOf(client);
  expect((await refreshAt(server, client, body.refresh_token)).status).toBe(503);
  state.isDown = false;
  vi.advanceTimersByTime(2_000);
  const newer = (await refreshAt(server, client, body.refresh_token)).body;
  vi.advanceTimersByTime(61_000);
  expect((await refreshAt(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
  expect((await refreshAt(server, client, newer.refresh_token)).body.error).toBe('invalid_grant');
});

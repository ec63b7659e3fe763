import { expect, test } from 'vitest';
import { createMemoryStore, type Store } from '../../../src/index.js';
import { createUsedCodes } from '../../../src/oauth-proxy/issuing/used-codes.js';
import { forgetOwnMemory, refreshAt, startIssuingFlow, startIssuingServer } from '../../support/issuing-flow.js';
import { rawClient } from '../../support/oauth-proxy-client.js';

const USED = {
  status: 400,
  body: { error: 'invalid_grant', error_description: 'The code was used before, so the user must log in again' },
};

/** A login that has its code, and a second server with the same store. */
async function start(keepsCodes: boolean, store?: Store) {
  const { upstream, server, client } = await startIssuingFlow({ keepsCodes }, store && { store });
  const policy = { resourceMetadata: { resource: `${server.origin}/mcp` } };
  const other = await startIssuingServer(upstream, { policy, ...(store && { store }) });
  const code = (await client.logIn()).get('code') ?? '';
  return { server, other, client, otherClient: rawClient(other.base, client.id), code };
}

test.each([
  ['the server', 'keeps codes', undefined, 'client'],
  ['the server', 'knows a code once', undefined, 'client'],
  ['the server with a store', 'keeps codes', createMemoryStore, 'client'],
  ['a policy that replaced it', 'keeps codes', undefined, 'otherClient'],
  ['another replica', 'keeps codes', createMemoryStore, 'otherClient'],
] as const)(
  'a code that is used again at %s is refused, and ends its login, if the provider %s',
  async (_where, provider, createStore, who) => {
    const { server, other, code, ...clients } = await start(provider === 'keeps codes', createStore?.());
    const { status, body } = await clients.client.token({ code });
    expect(status).toBe(200);
    expect((await server.call(body.access_token)).status).toBe(200);
    // A replica knows no more than its store. Without one, both servers are in one process.
    if (createStore !== undefined) forgetOwnMemory();
    expect(await clients[who].token({ code })).toMatchObject(USED);
    expect((await server.call(body.access_token)).status).toBe(401);
    expect((await refreshAt(server, clients.client, body.refresh_token)).body.error).toBe('invalid_grant');
    expect((await other.call(body.access_token)).status).toBe(401);
    expect(await clients.client.token({ code }), 'and again').toMatchObject(USED);
  },
);

test.each([
  ['another client', { client_id: 'another' }],
  ['another PKCE verifier', { code_verifier: 'x'.repeat(43) }],
  ['another redirect URI', { redirect_uri: 'http://127.0.0.1:33418/another' }],
])('a used code with %s ends no login', async (_what, changes) => {
  const { server, client, code } = await start(true);
  const { body } = await client.token({ code });
  expect((await client.token({ code, ...changes })).status).not.toBe(200);
  expect((await server.call(body.access_token)).status).toBe(200);
});

test('of two requests at once with one code, one gets tokens', async () => {
  const { server, code, client, otherClient } = await start(true);
  const answers = await Promise.all([client, otherClient].map((each) => each.token({ code })));
  const [first, second] = answers.toSorted((one, other) => one.status - other.status);
  expect(second).toMatchObject(USED);
  expect(first?.status).toBe(200);
  expect((await server.call(first?.body.access_token)).status).toBe(200);
});

test('a request that another replica was faster than gets no tokens', async () => {
  const memory = createMemoryStore();
  const add: Store['add'] = (key, ...more) => (key.startsWith('code used ') ? false : memory.add(key, ...more));
  const { client, code } = await start(true, { ...memory, add });
  expect(await client.token({ code })).toMatchObject(USED);
});

test('a code that another replica used first is remembered with the login of that replica', async () => {
  const store = createMemoryStore();
  const login = (name: string) => ({ login: name, expiry: Date.now() + 60_000 });
  await store.add('code used k', JSON.stringify(login('first')), 60_000);
  const codes = createUsedCodes({ store, logger: console } as never);
  expect(await codes.use('k', login('second'))).toBe(false);
  expect(await codes.find('k')).toMatchObject({ login: 'first' });
});

test('without a store that works, a process remembers the codes that were used there', async () => {
  const fail = () => {
    throw new Error('down');
  };
  const { client, code } = await start(true, { ...createMemoryStore(), get: fail, add: fail });
  expect((await client.token({ code })).status).toBe(200);
  expect(await client.token({ code })).toMatchObject(USED);
});

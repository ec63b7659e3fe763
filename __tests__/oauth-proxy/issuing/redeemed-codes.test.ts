import { expect, test } from 'vitest';
import { createMemoryStore, type Store } from '../../../src/index.js';
import { startIssuingFlow, startIssuingServer, tokensOf } from '../../support/issuing-flow.js';
import { rawClient } from '../../support/oauth-proxy-client.js';

/** Cuts a login after the identity provider has exchanged its code. The other server has the same store. */
async function cutLogin(store: Store | undefined) {
  const { upstream, server, client } = await startIssuingFlow({}, store && { store });
  const policy = { resourceMetadata: { resource: `${server.origin}/mcp` } };
  const { base } = await startIssuingServer(upstream, { policy, ...(store && { store }) });
  const code = (await client.logIn()).get('code') ?? '';
  upstream.state.profile = { id: 'unreadable' };
  expect((await client.token({ code })).status).toBe(502);
  const sentCodes = () => upstream.requests.flatMap(({ path, form }) => (path.startsWith('POST') ? form.code : []));
  return { upstream, server, client, code, otherClient: rawClient(base, client.id), sentCodes };
}

test.each([
  ['the server', undefined, 'client'],
  ['the server with a store', createMemoryStore, 'client'],
  ['another replica', createMemoryStore, 'otherClient'],
] as const)('a login that an outage has cut goes on with the same code at %s', async (_where, createStore, who) => {
  const { upstream, server, code, sentCodes, ...clients } = await cutLogin(createStore?.());
  // The outage lasts.
  expect((await clients[who].token({ code })).status).toBe(502);
  upstream.state.profile = {};
  const { status, body } = await clients[who].token({ code });
  expect(status, JSON.stringify(body)).toBe(200);
  expect((await server.call(body.access_token)).status).toBe(200);
  expect(sentCodes()).toHaveLength(1);
  expect((await clients[who].token({ code })).body.error).toBe('invalid_grant');
});

test.each([
  ['a server', undefined, 'client'],
  ['a server with a store', createMemoryStore, 'client'],
  ['two replicas', createMemoryStore, 'otherClient'],
] as const)('of two requests at once with such a code, at %s, one gets tokens', async (_where, createStore, who) => {
  const { upstream, code, ...clients } = await cutLogin(createStore?.());
  upstream.state.profile = {};
  const answers = await Promise.all([clients.client, clients[who]].map((client) => client.token({ code })));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400]);
});

test.each([
  ['its client', { client_id: 'another' }],
  ['the PKCE verifier', { code_verifier: 'x'.repeat(43) }],
  ['the redirect URI', { redirect_uri: 'http://127.0.0.1:33418/another' }],
])('such a code needs %s, too', async (_what, changes) => {
  const { upstream, client, code } = await cutLogin(undefined);
  upstream.state.profile = {};
  const { status } = await client.token({ code, ...changes });
  expect(status === 400 || status === 401).toBe(true);
  expect((await client.token({ code })).status).toBe(200);
});

test('the store learns neither the code nor the tokens', async () => {
  const seen: string[] = [];
  const memory = createMemoryStore();
  const add: Store['add'] = (...given) => {
    seen.push(given.join(' '));
    return memory.add(...given);
  };
  const { upstream, client, code, sentCodes } = await cutLogin({ ...memory, add });
  upstream.state.profile = {};
  const { body } = await client.token({ code });
  expect(seen).toHaveLength(2);
  const secrets = [...upstream.accessTokens.keys(), ...sentCodes(), code, body.access_token, body.refresh_token];
  for (const secret of secrets) expect(seen.join('\n')).not.toContain(secret);
});

test('a login needs no store that works', async () => {
  const fail = () => {
    throw new Error('down');
  };
  const { client } = await startIssuingFlow({}, { store: { ...createMemoryStore(), get: fail, add: fail } });
  expect((await tokensOf(client)).status).toBe(200);
});

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createMemoryStore, type Store } from '../../../src/index.js';
import { fingerprint } from '../../../src/oauth-proxy/fingerprint.js';
import { createOAuthProxySeal } from '../../../src/oauth-proxy/sealed-contents.js';
import {
  type IssuingServer,
  registerAt,
  SECRET,
  startIssuingFlow,
  startIssuingServer,
  tokensOf,
} from '../../support/issuing-flow.js';
import { REDIRECT_URI, rawClient, VERIFIER } from '../../support/oauth-proxy-client.js';
import { asAlice } from '../../support/oauth-proxy-flow.js';
import { LOGIN_CLIENT } from '../../support/opaque-login-server.js';
import { UserAgent } from '../../support/user-agent.js';

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
] as const)('a login that an outage interrupted goes on with the same code at %s', async (_where, createStore, who) => {
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

/** Logs in with another client and browser, and with a code of the identity provider that has leaked. */
async function logInWith(leaked: string, server: IssuingServer) {
  const client = await registerAt(server);
  const agent = new UserAgent();
  const isCallback = (url: URL) => url.pathname.endsWith('/callback') && url.searchParams.has('code');
  const callback = (await agent.visit(client.authorizationUrl(), asAlice, isCallback)) as URL;
  callback.searchParams.set('code', leaked);
  const end = (await agent.visit(callback, asAlice, ({ href }) => href.startsWith(REDIRECT_URI))) as URL;
  return client.token({ code: end.searchParams.get('code') ?? '' });
}

test.each([
  ['a server', undefined],
  ['a server with a store', createMemoryStore],
] as const)(
  'at %s, the code of a login that an outage has cut is of no use in another login',
  async (_where, createStore) => {
    const { upstream, server, client, code, sentCodes } = await cutLogin(createStore?.());
    upstream.state.profile = {};
    const [leaked = ''] = sentCodes();
    const { status, body } = await logInWith(leaked, server);
    expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_grant' });
    expect((await client.token({ code })).status).toBe(200);
  },
);

test('the refusal of an account is not told to another login with its code', async () => {
  const { upstream, server, client } = await startIssuingFlow({}, { github: { allow: () => false } });
  const refused = (await tokensOf(client)).body.error_description;
  const leaked = upstream.requests.find(({ form }) => form.code !== undefined)?.form.code ?? '';
  expect(refused).toBe('This account may not use this server');
  const { body } = await logInWith(leaked, server);
  expect(body.error).toBe('invalid_grant');
  expect(body.error_description).not.toBe(refused);
});

test('a code without the secret of its login is refused', async () => {
  const { upstream, server, client } = await startIssuingFlow();
  const seal = createOAuthProxySeal([SECRET], [`${server.origin}/mcp`, upstream.origin, LOGIN_CLIENT.id]);
  const login = {
    client: fingerprint(client.id),
    upstream: undefined,
    redirectUri: REDIRECT_URI,
    scopes: [],
    hasDefaultScopes: undefined,
  };
  const codeChallenge = createHash('sha256').update(VERIFIER).digest('base64url');
  const code = seal.close('code', { ...login, codeChallenge, code: 'leaked', verifier: undefined }, 60);
  const { status, body } = await client.token({ code });
  expect({ status, body }).toEqual({
    status: 400,
    body: {
      error: 'invalid_grant',
      error_description: 'The login began with other options of this server, so the user must log in again',
    },
  });
  expect(upstream.requests).toEqual([]);
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
  expect(seen).toHaveLength(3);
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

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  ACCESS_TOKEN,
  API_NAME,
  EXCHANGE_CLIENT,
  type ExchangeKind,
  GRAPH_SCOPE,
} from '../support/exchange-endpoints.js';
import { type ExchangeServer, startExchangeServer } from '../support/exchange-server.js';
import { replyJson, setUpIntrospection } from '../support/introspection-server.js';
import { createSigner } from '../support/signer.js';
import { createUpstreamApp, setUpExchange as setUp } from '../support/upstream-app.js';

const KINDS: readonly ExchangeKind[] = ['RFC 8693', 'Entra'];

describe.each(KINDS)('%s', (kind) => {
  test('each user gets a token of their own, which the API accepts', async () => {
    const { server, ask } = await setUp(kind);
    const tokens = { ada: server.issue('ada'), bob: server.issue('bob') };
    const [ada, bob] = await Promise.all([ask(tokens.ada), ask(tokens.bob)]);
    const repositories = async ({ body }: typeof ada) =>
      (await fetch(server.api, { headers: { authorization: `Bearer ${body.token}` } })).json();
    expect(await repositories(ada)).toEqual([{ full_name: 'ada/notes' }]);
    expect(await repositories(bob)).toEqual([{ full_name: 'bob/notes' }]);
    expect([ada.body.byAuth, bob.body.byAuth]).toEqual([true, true]);
    expect(server.forms).toHaveLength(2);
  });

  test('is asked once for each token: by later requests, and by requests at once', async () => {
    const { server, ask } = await setUp(kind);
    const token = server.issue('ada');
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(token)));
    answers.push(await ask(token));
    expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1);
    expect(server.forms).toHaveLength(1);
    await ask(server.issue('ada'));
    expect(server.forms).toHaveLength(2);
  });

  test('is not asked before a tool asks for the token', async () => {
    const { server, auth } = await setUp(kind);
    expect(await auth.ready()).toBe(true);
    expect(server.forms).toEqual([]);
  });

  test('after an account switch, the client gets the token of the other user', async () => {
    const { server, ask } = await setUp(kind);
    const ofAda = await ask(server.issue('ada', { client_id: 'app' }));
    const ofBob = await ask(server.issue('bob', { client_id: 'app' }));
    expect(ofBob.body.token).not.toBe(ofAda.body.token);
    expect(server.exchanged).toEqual([ofAda.body.token, ofBob.body.token]);
  });

  test('no token is in the log, in a decision or in an error', async () => {
    const { server, ask, lines } = await setUp(kind);
    const token = server.issue('ada');
    await ask(token);
    // A server that repeats all that it was sent.
    server.behave((res, form) =>
      replyJson(res, { error: 'invalid_grant', error_description: `AADSTS1: ${form}` }, 400),
    );
    const refused = await ask(server.issue('bob'));
    const all = JSON.stringify([lines, refused.body]);
    expect(all).toContain('invalid_grant');
    const sent = server.forms.flatMap((form) => [form.get('subject_token') ?? [], form.get('assertion') ?? []].flat());
    const pieces = [...sent, ...server.exchanged].flatMap((secret) => secret.match(/.{16}/g) ?? []);
    expect(pieces.length).toBeGreaterThan(20);
    expect(pieces.filter((piece) => all.includes(piece))).toEqual([]);
    expect(all).not.toContain(EXCHANGE_CLIENT.clientSecret);
  });

  test.each([
    ['half a minute before the token expires', 600, 570],
    ['after half a minute, if the server does not say when it expires', undefined, 30],
    ['after half of the life of a token that is short', 20, 10],
    ['after an hour in any case', 86_400, 3_600],
  ])('is asked again %s', async (_when, expires_in, seconds) => {
    const { server, ask } = await setUp(kind);
    server.behave((res) => replyJson(res, { ...ANSWERS[kind], expires_in }));
    const token = server.issue('ada', { expiresIn: 7_200 });
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const began = Date.now();
    for (const [later, calls] of [
      [0, 1],
      [seconds - 5, 1],
      [seconds + 1, 2],
    ] as const) {
      vi.setSystemTime(began + later * 1_000);
      expect((await ask(token)).body.token).toBe('short');
      expect(server.forms).toHaveLength(calls);
    }
  });

  test('a failure is not remembered', async () => {
    const { server, ask } = await setUp(kind);
    const token = server.issue('ada');
    server.behave((res) => replyJson(res, {}, 503));
    expect((await ask(token)).body).toMatchObject({ name: 'UpstreamError', code: 'authorization_server_unavailable' });
    server.behave(undefined);
    expect((await ask(token)).status).toBe(200);
  });
});

const GOOD = { access_token: 'new', token_type: 'Bearer', issued_token_type: ACCESS_TOKEN, expires_in: 60 };
const ANSWERS = {
  'RFC 8693': { access_token: 'short', token_type: 'bearer', issued_token_type: ACCESS_TOKEN },
  Entra: { access_token: 'short', token_type: 'Bearer' },
};

test('the form of RFC 8693 names the token, its type and every target', async () => {
  const resource = 'https://api.example/v1';
  const { server, ask } = await setUp('RFC 8693', { audience: [API_NAME], resource, scopes: ['repo', 'user'] });
  const token = server.issue('ada');
  expect((await ask(token)).status).toBe(200);
  expect([...(server.forms[0] ?? [])]).toEqual([
    ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    ['subject_token', token],
    ['subject_token_type', ACCESS_TOKEN],
    ['requested_token_type', ACCESS_TOKEN],
    ['audience', API_NAME],
    ['resource', resource],
    ['scope', 'repo user'],
  ]);
});

test('the form of the on-behalf-of flow has the assertion, the scopes and the credentials', async () => {
  const { server, ask } = await setUp('Entra');
  const token = server.issue('ada');
  expect((await ask(token)).status).toBe(200);
  expect([...(server.forms[0] ?? [])]).toEqual([
    ['grant_type', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    ['assertion', token],
    ['requested_token_use', 'on_behalf_of'],
    ['scope', GRAPH_SCOPE],
    ['client_id', EXCHANGE_CLIENT.clientId],
    ['client_secret', EXCHANGE_CLIENT.clientSecret],
  ]);
});

test('a server that is down, and then back', async () => {
  const { server, ask } = await setUp('RFC 8693', { endpoint: undefined });
  const [first, second] = [server.issue('ada'), server.issue('ada')];
  await ask(first);
  await server.goDown();
  expect((await ask(first)).status, 'the remembered token').toBe(200);
  expect((await ask(second)).body).toMatchObject({ code: 'authorization_server_unavailable', status: 503 });
  await server.comeBack();
  expect((await ask(second)).status).toBe(200);
});

test.each<[string, object]>([
  ['no authorization_endpoint', { authorization_endpoint: undefined }],
  ['an unusable registration_endpoint', { registration_endpoint: '/register' }],
])('the endpoint of the metadata is used even if the metadata has %s', async (_what, metadata) => {
  const server = await startExchangeServer('RFC 8693', undefined, { ...metadata });
  const { ask } = createUpstreamApp(server.policy());
  expect((await ask(server.issue('ada'))).status).toBe(200);
});

test('an endpoint that the policy names is used in place of that of the metadata', async () => {
  const { server, ask } = await setUp('RFC 8693');
  const other = await startExchangeServer('RFC 8693');
  other.behave((res) => replyJson(res, { ...GOOD, access_token: 'from the other one'.replaceAll(' ', '-') }));
  const app = createUpstreamApp(server.policy({ endpoint: `${other.origin}/token` }));
  expect((await app.ask(server.issue('ada'))).body.token).toBe('from-the-other-one');
  expect(server.forms).toEqual([]);
  expect(ask).toBeDefined();
});

describe('tokens that are not exchanged', () => {
  /** A policy of two issuers, of which only the first one exchanges. */
  async function twoIssuers(): Promise<{
    first: ExchangeServer;
    second: ExchangeServer;
    ask: (token: string) => Promise<{ body: unknown }>;
  }> {
    const [first, second] = [await startExchangeServer('RFC 8693'), await startExchangeServer('RFC 8693')];
    const { issuer: _i, jwks: _j, ...policy } = first.policy({ issuer: first.issuer });
    const issuers = [first, second].map(({ issuer, origin }) => ({ issuer, jwks: { url: `${origin}/keys` } }));
    return { first, second, ask: createUpstreamApp({ ...policy, issuers }).ask };
  }

  test('a token of another issuer is shown to neither server', async () => {
    const { first, second, ask } = await twoIssuers();
    expect((await ask(second.issue('ada'))).body).toMatchObject({ code: 'no_upstream_token' });
    expect([first.forms, second.forms]).toEqual([[], []]);
    expect((await ask(first.issue('ada'))).body).toMatchObject({ token: expect.any(String) });
  });

  test('a token without upstreamToken in the policy', async () => {
    const { server, ask } = await setUp('RFC 8693', {}, { upstreamToken: undefined });
    const { body } = await ask(server.issue('ada'));
    expect(body).toEqual({
      name: 'UpstreamTokenError',
      code: 'no_upstream_token',
      message:
        'getUpstreamToken(): the credential of the caller is neither a token that this server issued, nor one that upstreamToken.exchange of its policy is for',
      evidence: {},
    });
    expect(server.forms).toEqual([]);
  });
});

test('an opaque token that the issuer knows is exchanged too', async () => {
  const { server: introspection, policy } = await setUpIntrospection();
  const server = await startExchangeServer('RFC 8693');
  server.behave((res, form) => replyJson(res, { ...GOOD, access_token: `for-${form.get('subject_token')}` }));
  const exchange = { ...EXCHANGE_CLIENT, endpoint: `${server.origin}/token`, audience: API_NAME };
  const { ask } = createUpstreamApp({
    issuer: 'https://issuer.example',
    jwks: { keys: [createSigner().jwk] },
    resourceMetadata: { resource: 'https://mcp.example/mcp' },
    ...policy,
    upstreamToken: { exchange },
  });
  const token = introspection.issue();
  expect((await ask(token)).body.token).toBe(`for-${token}`);
});

import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { upstreamTokenOf } from '../../src/core/upstream-token.js';
import { type AuthDecision, type AuthInfo, getAuth } from '../../src/index.js';
import { createApiKey } from '../../src/oauth/api-key.js';
import { altered } from '../support/altered.js';
import { startIssuingFlow, startIssuingServer, tokensOf } from '../support/issuing-flow.js';

/** A refusal as the client sees it, and the code in the decision. */
async function refusalOf(token: (issued: string) => string, policy: Record<string, unknown> = {}) {
  const codes: unknown[] = [];
  const onDecision = ({ code }: AuthDecision) => void codes.push(code);
  const { server, client } = await startIssuingFlow({}, { policy: { ...policy, onDecision } });
  const { body } = await tokensOf(client);
  const { status, body: refusal } = await server.call(token(String(body.access_token)));
  return { status, error: refusal.error, code: codes.at(-1) };
}

const JWT = [{ alg: 'ES256' }, { iss: 'https://github.com' }, {}]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.');

test.each<[string, (issued: string) => string, string]>([
  ['altered', (token) => altered(token, -10), 'unknown_issued_token'],
  ['cut off', (token) => token.slice(0, -8), 'unknown_issued_token'],
  ['in capitals', (token) => token.replace('emat_', 'EMAT_'), 'unknown_issued_token'],
  ['with the prefix alone', () => 'emat_', 'unknown_issued_token'],
  ['of the identity provider', () => 'gho_16C7e42F292c6912E7710c838347Ae178B4a', 'unknown_issued_token'],
  ['that is an API key', () => createApiKey().key, 'unknown_api_key'],
  ['that is a JWT', () => JWT, 'unknown_issuer'],
])('a token is refused with a challenge: one %s', async (_name, token, code) => {
  expect(await refusalOf(token)).toEqual({ status: 401, error: 'invalid_token', code });
});

test('an altered token of this server is shown to no verifier and no function for API keys', async () => {
  const asked: string[] = [];
  const apiKeys = (sha256: string) => void asked.push(sha256);
  const verifiers = [(token: string) => void asked.push(token)];
  const refused = await refusalOf((token) => altered(token, -10), { apiKeys, verifiers });
  expect(refused).toMatchObject({ status: 401, code: 'unknown_issued_token' });
  expect(asked).toEqual([]);
});

test('a server without an identity provider refuses it, and asks no other party', async () => {
  const { upstream, server, client } = await startIssuingFlow();
  const { body } = await tokensOf(client);
  const asked: string[] = [];
  const policy = {
    issuers: [],
    provider: undefined,
    clientId: undefined,
    clientSecret: undefined,
    oauthProxy: undefined,
    verifiers: [(token: string) => void asked.push(token)],
    resourceMetadata: { resource: `${server.origin}/mcp` },
  };
  const other = await startIssuingServer(upstream, { policy });
  expect((await other.call(body.access_token)).body.error_description).toMatch(/not issued by this server/);
  expect(asked).toEqual([]);
});

test('other credentials are accepted beside it', async () => {
  const { key, sha256 } = createApiKey();
  const verifiers = [(token: string) => (token === 'mine' ? { subject: 'me', scopes: [] } : undefined)];
  const { server, client } = await startIssuingFlow({}, { policy: { apiKeys: [{ sha256 }], verifiers } });
  const { body } = await tokensOf(client);
  for (const token of [body.access_token, key, 'mine']) expect((await server.call(token)).status).toBe(200);
  expect((await server.call('other')).status).toBe(401);
});

test('two users have two identities, from the cache too, and one user has the same at each login', async () => {
  const { upstream, server, client } = await startIssuingFlow();
  const logIn = async (user: string) => {
    upstream.state.user = user;
    return (await tokensOf(client)).body.access_token;
  };
  const tokens = [await logIn('octocat'), await logIn('hubot'), await logIn('octocat')];
  for (let round = 0; round < 2; round++) {
    const identities = await Promise.all(tokens.map(async (token) => (await server.call(token)).body));
    const [one, two, three] = identities.map(({ subject }) => subject);
    expect(one).not.toBe(two);
    expect(three).toBe(one);
    expect(identities.map(({ payload }) => (payload as { login: string }).login)).toEqual([
      'octocat',
      'hubot',
      'octocat',
    ]);
  }
});

test('the option extra gets the identity, which has no member with the token of the user', async () => {
  const seen: AuthInfo[] = [];
  const extra = (auth: AuthInfo) => {
    seen.push(auth);
    return { plan: 'free' };
  };
  const { upstream, server, client } = await startIssuingFlow({}, { policy: { extra } });
  const { body } = await tokensOf(client);
  expect((await server.call(body.access_token)).body.extra).toMatchObject({ plan: 'free', login: 'octocat' });
  const [secret = ''] = upstream.accessTokens.keys();
  expect(JSON.stringify(seen)).not.toContain(secret);
});

test.each<[string, Record<string, unknown>]>([
  ['plain', {}],
  ['with an option extra', { extra: () => ({ plan: 'free' }) }],
  ['without a token cache', { tokenCache: false }],
])('the token of each user belongs to the requests of that user: %s', async (_name, policy) => {
  const seen: (string | undefined)[] = [];
  const handler = (req: IncomingMessage) => void seen.push(upstreamTokenOf(getAuth(req) as AuthInfo)?.token);
  const { upstream, server, client } = await startIssuingFlow({}, { policy, handler });
  const tokens: unknown[] = [];
  for (const user of ['octocat', 'hubot']) {
    upstream.state.user = user;
    tokens.push((await tokensOf(client)).body.access_token);
  }
  for (let round = 0; round < 2; round++) for (const token of tokens) await server.call(token);
  const own = [...upstream.accessTokens.keys()];
  expect(own).toHaveLength(2);
  expect(seen).toEqual([...own, ...own]);
});

test('a missing token is asked for in words that name no JWT', async () => {
  const { server } = await startIssuingFlow();
  const response = await fetch(`${server.origin}/mcp`);
  expect(response.status).toBe(401);
  expect(await response.json()).toMatchObject({ error_description: 'Access token required' });
  expect(response.headers.get('www-authenticate')).toContain('resource_metadata=');
});

test('required scopes are checked', async () => {
  const { server, client } = await startIssuingFlow({}, { policy: { requiredScopes: ['mcp.write'] } });
  const { body } = await tokensOf(client, { scope: 'mcp.read' });
  expect((await server.call(body.access_token)).status).toBe(403);
});

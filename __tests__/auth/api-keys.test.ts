import { createHash } from 'node:crypto';
import request from 'supertest';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { altered } from '../support/altered.js';
import { createAppWithKeys, makeKey } from '../support/api-keys.js';
import { passTime } from '../support/app-with-key-server.js';
import {
  claims,
  createAppInEveryMode,
  createProtectedApp,
  expectInvalidToken,
  METADATA_URL,
  parseChallenge,
  RESOURCE,
} from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

const UNKNOWN = 'The API key is not known here';
const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString();
const { key, entry } = makeKey({ subject: 'ci', scopes: ['read', 'write'], claims: { team: ['a'] } });
const other = makeKey({ subject: 'ci' });

test('a key is a caller with its subject, scopes and claims', async () => {
  const { withHeaders, send } = createAppWithKeys([entry, other.entry]);
  const clientId = `key-${entry.sha256.slice(0, 32)}`;
  for (const response of [await send(key), await withHeaders({ 'x-api-key': key }), await send(key)]) {
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject({ subject: 'ci', clientId, scopes: ['read', 'write'], resource: RESOURCE });
    expect(response.body.payload).toEqual({
      iss: 'urn:express-mcp-auth:api-key',
      sub: 'ci',
      client_id: clientId,
      scope: 'read write',
      team: ['a'],
    });
  }
});

test('a key of any form is found by its hash, one that looks like a JWT too', async () => {
  for (const text of ['legacy-key', 'SG.abc.def', 'a.b.c.d.e']) {
    const sha256 = createHash('sha256').update(text).digest('hex').toUpperCase();
    const { send, withHeaders } = createAppWithKeys([{ sha256 }]);
    expect((await send(text)).status).toBe(200);
    expect((await withHeaders({ 'x-api-key': text })).status).toBe(200);
  }
  const sha256 = createHash('sha256').update('a key, with spaces!').digest('hex');
  expect((await createAppWithKeys([{ sha256 }]).withHeaders({ 'x-api-key': 'a key, with spaces!' })).status).toBe(200);
});

describe('a key is refused, in every mode', () => {
  test.each<[name: string, token: string, description: string]>([
    ['that is not in the list', makeKey().key, UNKNOWN],
    ['with another character', altered(key, 20), UNKNOWN],
    ['without its last character', key.slice(0, -1), UNKNOWN],
    ['in capitals', `emak_${key.slice(5).toUpperCase()}`, UNKNOWN],
    [
      'that is the hash',
      entry.sha256,
      'The token is opaque, not a JWT; ask the authorization server for a JWT access token',
    ],
    ['that is the prefix alone', 'emak_', UNKNOWN],
    ['whose prefix has a capital', `Emak_${key.slice(5)}`, UNKNOWN],
  ])('%s', async (_name, token, description) => {
    expectInvalidToken(await createAppInEveryMode({ apiKeys: [entry] }).send(token), description);
  });

  test('of any form, where a policy accepts nothing else', async () => {
    const keysAlone = { apiKeys: [entry], issuers: [], issuer: undefined, jwks: undefined };
    expectInvalidToken(await createAppInEveryMode(keysAlone).send('sk-unknown'), UNKNOWN);
  });

  test('where the list is empty', async () => {
    expectInvalidToken(await createAppInEveryMode({ apiKeys: [] }).send(key), UNKNOWN);
  });

  test('without apiKeys, also by its prefix', async () => {
    expectInvalidToken(await createAppInEveryMode({}).send(key), UNKNOWN);
  });

  test('from its expiry on, also once it is known', async () => {
    const { key: short, entry: ends } = makeKey({ expires: tomorrow() });
    const { send } = createAppWithKeys([ends]);
    expect((await send(short)).body.expiresAt).toBe(Math.floor(Date.parse(ends.expires as string) / 1_000));
    passTime(86_500_000);
    expectInvalidToken(await send(short), 'The token has expired');
  });

  test('after revoke(), for good', async () => {
    const { send, auth } = createAppWithKeys([entry, other.entry]);
    expect((await send(key)).status).toBe(200);
    auth.revoke(key);
    expectInvalidToken(await send(key), 'The token has been revoked');
    expect((await send(other.key)).status).toBe(200);
    auth.revoke(({ subject }) => subject === 'ci');
    expectInvalidToken(await send(other.key), 'The token has been revoked');
    expect(() => auth.revoke(`Bearer ${key}`)).toThrow(
      'revoke() takes a token or an API key, without "Bearer" before it',
    );
  });

  test('after revoke(), for good, even if it was a JWT that has expired', async () => {
    const text = createSigner().sign(claims({ exp: 1 }));
    const sha256 = createHash('sha256').update(text).digest('hex');
    const { send, auth } = createAppWithKeys([{ sha256 }]);
    expect((await send(text)).status).toBe(200);
    for (const each of [text, key]) auth.revoke(each);
    expectInvalidToken(await send(text), 'The token has been revoked');
  });

  test('without a required scope, with a challenge that names it', async () => {
    const { send } = createAppWithKeys([other.entry], { requiredScopes: ['read'] });
    const response = await send(other.key);
    expect(response.status).toBe(403);
    expect(parseChallenge(response.headers['www-authenticate'])).toMatchObject({
      error: 'insufficient_scope',
      scope: 'read',
    });
  });
});

describe('x-api-key', () => {
  const signer = createSigner();
  const jwt = signer.sign(claims());
  type Row = [name: string, headers: Record<string, string | string[]>, path: string, status: number];
  test.each<Row>([
    ['a key', { 'x-api-key': key }, '/mcp', 200],
    ['a key with spaces and tabs around it', { 'x-api-key': ` \t${key}\t ` }, '/mcp', 200],
    ['a key with a no-break space', { 'x-api-key': `\u00a0${key}` }, '/mcp', 401],
    ['an unknown key', { 'x-api-key': makeKey().key }, '/mcp', 401],
    ['nothing', { 'x-api-key': '' }, '/mcp', 401],
    ['a JWT', { 'x-api-key': jwt }, '/mcp', 401],
    ['a key with its scheme', { 'x-api-key': `Bearer ${key}` }, '/mcp', 401],
    ['two of them', { 'x-api-key': [key, key] }, '/mcp', 400],
    ['the same key in both places', { 'x-api-key': key, authorization: `Bearer ${key}` }, '/mcp', 400],
    ['a key beside a JWT', { 'x-api-key': key, authorization: `Bearer ${jwt}` }, '/mcp', 400],
    ['an unknown key beside a JWT', { 'x-api-key': 'x', authorization: `Bearer ${jwt}` }, '/mcp', 400],
    ['a key beside a malformed token', { 'x-api-key': key, authorization: 'Bearer' }, '/mcp', 400],
    ['a key beside a DPoP token', { 'x-api-key': key, authorization: `DPoP ${jwt}` }, '/mcp', 400],
    ['a key beside a token in the query', { 'x-api-key': key }, '/mcp?access_token=x', 400],
    ['a key beside a password for a proxy', { 'x-api-key': key, authorization: 'Basic YTpi' }, '/mcp', 200],
    ['a key beside a token after a no-break space', { 'x-api-key': key, authorization: '\u00a0Bearer x' }, '/mcp', 400],
    ['a key beside a token after a password', { 'x-api-key': key, authorization: 'Basic YTpi, Bearer x' }, '/mcp', 400],
    ['a key of more than maxTokenBytes', { 'x-api-key': 'x'.repeat(8_000) }, '/mcp', 400],
  ])('%s is answered as the table says', async (_name, headers, path, status) => {
    const policy = { jwks: { keys: [signer.jwk] }, maxTokenBytes: 4_000 };
    const open = (mode: string) => createAppWithKeys([entry], { ...policy, mode });
    expect((await open('strict').withHeaders(headers, path)).status).toBe(status);
    expect((await open('optional').withHeaders(headers, path)).status).toBe(status);
    const { body } = await open('permissive').withHeaders(headers, path);
    expect(body.anonymous).toBe(status !== 200);
  });

  test('an empty one is no key, even if the hash of nothing is in the list, or a function knows it', async () => {
    const sha256 = createHash('sha256').update('').digest('hex');
    for (const apiKeys of [[{ sha256 }], async () => ({ subject: 'ci' })]) {
      expectInvalidToken(await createAppWithKeys(apiKeys).withHeaders({ 'x-api-key': '' }), UNKNOWN);
    }
  });

  test('a JWT that is known from Authorization is no key in x-api-key', async () => {
    const { send, withHeaders } = createAppWithKeys([entry], { jwks: { keys: [signer.jwk] } });
    for (const _ of [1, 2]) expect((await send(jwt)).status).toBe(200);
    expectInvalidToken(await withHeaders({ 'x-api-key': jwt }), UNKNOWN);
  });

  test('is not read without apiKeys, and left to the application', async () => {
    const { app, signer: own } = createAppWithKeys(undefined);
    const response = await request(app)
      .get('/mcp')
      .set({ authorization: `Bearer ${own.sign(claims())}`, 'x-api-key': key });
    expect(response.status).toBe(200);
  });
});

describe('the answer without a credential', () => {
  test('leads OAuth clients to their login, and names API keys', async () => {
    const response = await createAppWithKeys([entry]).get();
    expect(response.status).toBe(401);
    expect(response.body).toEqual({ error: 'unauthorized', error_description: 'Access token or API key required' });
    expect(response.headers['www-authenticate']).toBe(`Bearer resource_metadata="${METADATA_URL}"`);
  });

  const verifiers = [async (token: string) => (token === 'opaque' ? { scopes: [] } : undefined)];
  test.each<[given: string, policy: object, description: string, passes: string]>([
    ['keys alone', { apiKeys: [entry] }, 'API key required', key],
    ['keys and functions', { apiKeys: [entry], verifiers }, 'Access token or API key required', 'opaque'],
    ['functions alone', { verifiers }, 'Access token required', 'opaque'],
  ])('says what is needed where %s are accepted, and no issuer', async (_given, policy, description, passes) => {
    const alone = { issuer: undefined, jwks: undefined, issuers: [], ...policy };
    const { get, send, auth, signer } = createProtectedApp(alone);
    expect((await get()).body.error_description).toBe(description);
    expect((await send(passes)).status).toBe(200);
    expectInvalidToken(await send(signer.sign(claims())), 'The issuer of the token is not accepted here');
    expect(await auth.ready()).toBe(true);
    const { body } = await get(undefined, new URL(METADATA_URL).pathname);
    expect([body.resource, body.authorization_servers]).toEqual([RESOURCE, undefined]);
  });

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE'])('is the same for %s', async (method) => {
    const { app } = createAppWithKeys([entry]);
    const call = (headers: Record<string, string>) =>
      request(app)
        [method.toLowerCase() as 'get']('/mcp')
        .set(headers)
        .then(({ status }) => status);
    expect(await call({})).toBe(401);
    expect(await call({ 'x-api-key': 'x' })).toBe(401);
    expect(await call({ 'x-api-key': key })).toBe(200);
  });
});

test('a key is in no log line and no decision', async () => {
  const { lines, logger } = createRecordingLogger();
  const decisions: unknown[] = [];
  const { send, withHeaders, auth } = createAppWithKeys([entry, other.entry], {
    logger,
    onDecision: (decision: unknown) => void decisions.push(decision),
  });
  const unknown = makeKey().key;
  await send(key);
  await send(unknown);
  await withHeaders({ 'x-api-key': unknown });
  await withHeaders({ 'x-api-key': key, authorization: `Bearer ${key}` });
  auth.revoke(other.key);
  await send(other.key);
  const written = lines.join('\n') + JSON.stringify(decisions);
  for (const secret of [key, unknown, other.key]) expect(written).not.toContain(secret.slice(5));
  expect(decisions).toMatchObject([
    { outcome: 'passed', subject: 'ci', clientId: `key-${entry.sha256.slice(0, 32)}` },
    { outcome: 'refused', code: 'unknown_api_key' },
    { outcome: 'refused', code: 'unknown_api_key' },
    { outcome: 'refused', code: 'several_tokens' },
    { outcome: 'refused', code: 'token_revoked', subject: 'ci' },
  ]);
});

test('claims may be what a database has, as JSON has it', async () => {
  const given = { since: new Date(0), tags: new Uint8Array([1]) };
  const { body } = await createAppWithKeys([{ ...entry, claims: given }]).send(key);
  expect(body.payload).toMatchObject({ since: '1970-01-01T00:00:00.000Z', tags: { 0: 1 } });
});

test('the claims of a key cannot be changed by a tool for the next request', async () => {
  const { send } = createAppWithKeys([entry]);
  const [first, second] = [await send(key), await send(key)];
  expect(second.body).toEqual(first.body);
});

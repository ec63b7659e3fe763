import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { getAuth, mcpAuth } from '../../src/index.js';
import { unreachableUrl } from '../support/loopback-server.js';
import {
  claims,
  createProtectedApp,
  ISSUER,
  METADATA_URL,
  parseChallenge,
  RESOURCE,
} from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const good = signer.sign(claims());

type Outcome = 'passes' | 'anonymous' | 'token required' | 'invalid_request' | 'invalid_token' | 'insufficient_scope';

const headers: [name: string, authorization: string | undefined, strict: Outcome, optional: Outcome][] = [
  ['no header', undefined, 'token required', 'anonymous'],
  ['an empty header', '', 'token required', 'anonymous'],
  ['another scheme', 'Basic YWxpY2U6c2VjcmV0', 'token required', 'anonymous'],
  ['a scheme that begins alike', `BearerX ${good}`, 'token required', 'anonymous'],
  ['the scheme alone', 'Bearer', 'invalid_request', 'invalid_request'],
  ['two tokens in one header', `Bearer ${good} ${good}`, 'invalid_request', 'invalid_request'],
  ['a list of credentials', `Bearer ${good}, Bearer ${good}`, 'invalid_request', 'invalid_request'],
  ['a tab before the token', `Bearer \t${good}`, 'passes', 'passes'],
  ['a tab instead of the space', `Bearer\t${good}`, 'invalid_request', 'invalid_request'],
  ['a no-break space in its place', `Bearer\u00a0${good}`, 'invalid_request', 'invalid_request'],
  ['a no-break space after the space', `Bearer \u00a0${good}`, 'invalid_request', 'invalid_request'],
  ['a no-break space after the token', `Bearer ${good}\u00a0`, 'invalid_request', 'invalid_request'],
  ['a next line (U+0085) after the space', `Bearer \u0085${good}`, 'invalid_request', 'invalid_request'],
  ['a comma in its place', `Bearer,${good}`, 'invalid_request', 'invalid_request'],
  ['a scheme that is not accepted here', `DPoP ${good}`, 'token required', 'anonymous'],
  ['extra spaces', `Bearer   ${good}`, 'passes', 'passes'],
  ['the scheme in lower case', `bearer ${good}`, 'passes', 'passes'],
  ['the scheme in upper case', `BEARER ${good}`, 'passes', 'passes'],
  ['an opaque token', 'Bearer 2YotnFZFEjr1zCsicMWpAA', 'invalid_token', 'invalid_token'],
  ['an expired token', `Bearer ${signer.sign(claims({ exp: 1 }))}`, 'invalid_token', 'invalid_token'],
  ['a token for another audience', `Bearer ${signer.sign(claims({ aud: 'other' }))}`, 'invalid_token', 'invalid_token'],
  ['a token of another issuer', `Bearer ${signer.sign(claims({ iss: 'other' }))}`, 'invalid_token', 'invalid_token'],
  ['a forged token', `Bearer ${createSigner().sign(claims())}`, 'invalid_token', 'invalid_token'],
  ['a good token', `Bearer ${good}`, 'passes', 'passes'],
];

describe.each(headers)('%s', (_name, authorization, strict, optional) => {
  test.each([
    ['strict', strict],
    ['optional', optional],
    ['permissive', strict === 'passes' ? 'passes' : 'anonymous'],
  ] as const)('in %s mode: %s', async (mode, expected) => {
    const response = await createProtectedApp({ mode }, signer).get(authorization);
    expect(outcomeOf(response)).toBe(expected);
    if (mode === 'permissive' && expected === 'anonymous' && strict !== 'token required') {
      expect(response.body, 'a bad token leaves nothing behind').toEqual({
        anonymous: true,
        authorization: null,
        credentials: [],
      });
    }
  });
});

describe.each(['strict', 'optional', 'permissive'] as const)('in %s mode', (mode) => {
  const refused = mode !== 'permissive';

  test('two Authorization headers', async () => {
    const { app } = createProtectedApp({ mode }, signer);
    const response = await request(app)
      .get('/mcp')
      .set('authorization', [`Bearer ${good}`, 'Bearer other'] as never);
    expect(outcomeOf(response)).toBe(refused ? 'invalid_request' : 'anonymous');
  });

  test.each(['?access_token=', '?x=1&access_token=', '?access%5Ftoken=', '?access_token[]=', '?access_token'])(
    'a second token in the query (%s)',
    async (query) => {
      const response = await createProtectedApp({ mode }, signer).get(`Bearer ${good}`, `/mcp${query}`);
      expect(outcomeOf(response)).toBe(refused ? 'invalid_request' : 'anonymous');
    },
  );

  test('a token of a scheme that is not accepted is removed if the request passes', async () => {
    const { app } = createProtectedApp({ mode }, signer);
    const response = await request(app)
      .get('/mcp')
      .set({ authorization: `DPoP ${good}`, dpop: 'proof' });
    if (mode === 'strict') expect(outcomeOf(response)).toBe('token required');
    else expect(response.body).toEqual({ anonymous: true, authorization: null, credentials: [] });
  });

  // Python trims the first two, and frameworks split lists at commas.
  test.each([
    '\u00a0Bearer ',
    '\u0085bearer ',
    ',Bearer ',
    '"Bearer ',
    'Basic YTpi, Bearer ',
    'Basic YTpi,\u00a0DPoP ',
  ])('a token is removed if the request passes because of the text before it (%j)', async (before) => {
    const response = await createProtectedApp({ mode }, signer).get(before + good);
    if (mode === 'strict') expect(outcomeOf(response)).toBe('token required');
    else expect(response.body).toEqual({ anonymous: true, authorization: null, credentials: [] });
  });

  test('credentials of another kind are not removed', async () => {
    const response = await createProtectedApp({ mode }, signer).get('Basic YTpi');
    if (mode !== 'strict') expect(response.body.authorization).toBe('Basic YTpi');
  });

  test('a token in the query alone is no token', async () => {
    const response = await createProtectedApp({ mode }, signer).get(undefined, `/mcp?access_token=${good}`);
    expect(outcomeOf(response)).toBe(mode === 'strict' ? 'token required' : 'anonymous');
  });

  test('a token that lacks a scope', async () => {
    const protectedApp = createProtectedApp({ mode, requiredScopes: ['read', 'write'] }, signer);
    const response = await protectedApp.send(signer.sign(claims({ scope: 'read' })));
    expect(outcomeOf(response)).toBe(refused ? 'insufficient_scope' : 'anonymous');
  });

  test('a key server that is down', async () => {
    const response = await createProtectedApp({ mode, jwks: { url: await unreachableUrl() } }, signer).send(good);
    expect(response.status).toBe(refused ? 503 : 200);
    expect(response.headers['www-authenticate']).toBeUndefined();
  });

  test('a req.auth that an earlier middleware set is not trusted', async () => {
    const app = express();
    app.use((req, _res, next) => {
      (req as unknown as { auth: unknown }).auth = { token: 'x', scopes: ['admin'], payload: { sub: 'mallory' } };
      next();
    });
    app.use(mcpAuth({ mode, issuer: ISSUER, jwks: { keys: [signer.jwk] }, audiences: [RESOURCE] }));
    app.use((req, res) => {
      res.json({ auth: (req as unknown as { auth?: unknown }).auth ?? null, verified: getAuth(req) ?? null });
    });
    const response = await request(app).get('/mcp');
    if (mode === 'strict') expect(response.status).toBe(401);
    else expect(response.body).toEqual({ auth: null, verified: null });
  });
});

test('missing scopes are all named at once, with the metadata', async () => {
  const protectedApp = createProtectedApp({ requiredScopes: ['read', 'write', 'admin'] }, signer);
  const response = await protectedApp.send(signer.sign(claims({ scope: 'read' })));
  expect(response.status).toBe(403);
  expect(response.body).toEqual({ error: 'insufficient_scope', error_description: 'The token lacks a required scope' });
  expect(parseChallenge(response.headers['www-authenticate'])).toEqual({
    scheme: 'Bearer',
    error: 'insufficient_scope',
    error_description: 'The token lacks a required scope',
    resource_metadata: METADATA_URL,
    scope: 'read write admin',
  });
});

test('required scopes are in the challenge of a request without a token, so that the client asks for them', async () => {
  const response = await createProtectedApp({ requiredScopes: ['read', 'write'] }).get();
  expect(response.headers['www-authenticate']).toBe(`Bearer resource_metadata="${METADATA_URL}", scope="read write"`);
});

function outcomeOf(response: request.Response): Outcome {
  if (response.status === 200) return response.body.anonymous ? 'anonymous' : 'passes';
  const { scheme, resource_metadata, error } = parseChallenge(response.headers['www-authenticate']);
  expect(scheme).toBe('Bearer');
  expect(resource_metadata).toBe(METADATA_URL);
  const expected = { invalid_request: 400, invalid_token: 401, insufficient_scope: 403 }[error ?? ''] ?? 401;
  expect(response.status).toBe(expected);
  if (error !== undefined) expect(response.body.error).toBe(error);
  return (error ?? 'token required') as Outcome;
}

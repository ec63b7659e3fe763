import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { createAppWithKeys, makeKey } from '../support/api-keys.js';
import { good } from '../support/good-policy.js';
import { claims } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const jwt = signer.sign(claims());
const { key, entry } = makeKey();
const CLOUDFLARE = { header: { name: 'Cf-Access-Jwt-Assertion' } };
const PREFIXED = { header: { name: 'X-Token', prefix: 'Token ' } };
const OTHER_SCHEME = { header: { name: 'Authorization', prefix: 'Token ' } };
const STANDARD = { header: { name: 'AUTHORIZATION' } };

type Headers = Record<string, string | string[]>;
type Row = [name: string, location: object, headers: Headers, path: string, strict: number, optional?: number];

const rows: Row[] = [
  ['the header', CLOUDFLARE, { 'cf-access-jwt-assertion': jwt }, '/mcp', 200],
  ['the header in capitals', CLOUDFLARE, { 'CF-ACCESS-JWT-ASSERTION': jwt }, '/mcp', 200],
  ['a forged token in it', CLOUDFLARE, { 'cf-access-jwt-assertion': createSigner().sign(claims()) }, '/mcp', 401],
  ['an expired token in it', CLOUDFLARE, { 'cf-access-jwt-assertion': signer.sign(claims({ exp: 1 })) }, '/mcp', 401],
  ['a token with a scheme in it', CLOUDFLARE, { 'cf-access-jwt-assertion': `Bearer ${jwt}` }, '/mcp', 400],
  ['nothing in it', CLOUDFLARE, { 'cf-access-jwt-assertion': '' }, '/mcp', 400],
  ['a no-break space before the token', CLOUDFLARE, { 'cf-access-jwt-assertion': `\u00a0${jwt}` }, '/mcp', 400],
  ['two of the header', CLOUDFLARE, { 'cf-access-jwt-assertion': [jwt, jwt] }, '/mcp', 400],
  ['another token in the query', CLOUDFLARE, { 'cf-access-jwt-assertion': jwt }, '/mcp?access_token=x', 400],
  ['Authorization alone, which is not read', CLOUDFLARE, { authorization: `Bearer ${jwt}` }, '/mcp', 401, 200],
  [
    'Authorization of another server beside it',
    CLOUDFLARE,
    { 'cf-access-jwt-assertion': jwt, authorization: 'Bearer x' },
    '/mcp',
    200,
  ],
  ['a key in x-api-key', CLOUDFLARE, { 'x-api-key': key }, '/mcp', 200],
  ['a key beside it', CLOUDFLARE, { 'cf-access-jwt-assertion': jwt, 'x-api-key': key }, '/mcp', 400],
  ['a key in the header', CLOUDFLARE, { 'cf-access-jwt-assertion': key }, '/mcp', 200],
  ['no header', CLOUDFLARE, {}, '/mcp', 401, 200],
  ['the prefix', PREFIXED, { 'x-token': `Token ${jwt}` }, '/mcp', 200],
  ['the prefix in lower case', PREFIXED, { 'x-token': `token ${jwt}` }, '/mcp', 200],
  ['the prefix and spaces', PREFIXED, { 'x-token': `Token  \t${jwt} ` }, '/mcp', 200],
  ['no prefix', PREFIXED, { 'x-token': jwt }, '/mcp', 400],
  ['the prefix without its space', PREFIXED, { 'x-token': `Token${jwt}` }, '/mcp', 400],
  ['another scheme in Authorization', OTHER_SCHEME, { authorization: `Token ${jwt}` }, '/mcp', 200],
  ['Bearer where another scheme is read', OTHER_SCHEME, { authorization: `Bearer ${jwt}` }, '/mcp', 400],
  ['the standard place by its name', STANDARD, { authorization: `bearer ${jwt}` }, '/mcp', 200],
];

test.each(rows)(
  '%s is answered as the table says',
  async (_name, authorizationLocation, headers, path, strict, optional = strict) => {
    const policy = { authorizationLocation, jwks: { keys: [signer.jwk] } };
    const open = (mode: string) => createAppWithKeys([entry], { ...policy, mode });
    expect((await open('strict').withHeaders(headers, path)).status).toBe(strict);
    expect((await open('optional').withHeaders(headers, path)).status).toBe(optional);
    const { status, body } = await open('permissive').withHeaders(headers, path);
    expect([status, body.anonymous]).toEqual([200, strict !== 200]);
  },
);

test('a request that continues as anonymous keeps no credential in a place that is read', async () => {
  const policy = { ...good, apiKeys: [entry], authorizationLocation: CLOUDFLARE, mode: 'permissive' };
  const app = express().use(mcpAuth(policy as McpAuthOptions), (req, res) => void res.json(req.rawHeaders));
  const credentials = { 'cf-access-jwt-assertion': 'bad', 'x-api-key': 'bad', authorization: `Bearer ${jwt}` };
  const { body } = await request(app).get('/mcp').set(credentials);
  const names = (body as string[]).map((name) => name.toLowerCase());
  for (const name of Object.keys(credentials)) expect(names).not.toContain(name);
});

test('the challenge is that of the standard place, since OAuth clients know no other', async () => {
  const { get } = createAppWithKeys(undefined, { authorizationLocation: CLOUDFLARE });
  const response = await get();
  expect(response.status).toBe(401);
  expect(response.headers['www-authenticate']).toMatch(/^Bearer resource_metadata=/);
});

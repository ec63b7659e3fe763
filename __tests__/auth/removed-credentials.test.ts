import type { IncomingMessage } from 'node:http';
import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { makeKey } from '../support/api-keys.js';
import { good } from '../support/good-policy.js';
import { claims } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const jwt = signer.sign(claims());
const forged = createSigner().sign(claims());
const { key, entry } = makeKey();
const PERMISSIVE = { mode: 'permissive' };
const STRIP = { stripAuthorization: true };
const CLOUDFLARE = { authorizationLocation: { header: { name: 'Cf-Access-Jwt-Assertion' } } };

/** The places where an earlier middleware writes the credential, such as that of a cookie. */
const PLACES: Readonly<Record<string, (req: IncomingMessage, name: string, value: string) => void>> = {
  'both places': (req, name, value) => {
    req.headers[name] = value;
    req.rawHeaders.push(name, value);
  },
  'headers alone': (req, name, value) => {
    req.headers[name] = value;
  },
  'rawHeaders alone': (req, name, value) => void req.rawHeaders.push(name, value),
};

const credentials: [what: string, policy: object, name: string, value: string][] = [
  ['a forged token', PERMISSIVE, 'authorization', `Bearer ${forged}`],
  ['a token of a scheme that is not accepted', PERMISSIVE, 'authorization', `DPoP ${jwt}`],
  ['a token of a header of its own', { ...PERMISSIVE, ...CLOUDFLARE }, 'cf-access-jwt-assertion', forged],
  ['an unknown API key', { ...PERMISSIVE, apiKeys: [entry] }, 'x-api-key', 'bad'],
];

const verified: typeof credentials = [
  ['a good token', STRIP, 'authorization', `Bearer ${jwt}`],
  ['a good token of a header of its own', { ...STRIP, ...CLOUDFLARE }, 'cf-access-jwt-assertion', jwt],
  ['a good API key', { ...STRIP, apiKeys: [entry] }, 'x-api-key', key],
];

async function seenBehind(policy: object, name: string, write: (req: IncomingMessage) => void) {
  const app = express().use((req, _res, next) => {
    write(req);
    next();
  });
  app.use(mcpAuth({ ...good, jwks: { keys: [signer.jwk] }, ...policy } as McpAuthOptions));
  app.use((req, res) => {
    const raw = req.rawHeaders.filter((_value, i, all) => i % 2 === 1 && all[i - 1] === name);
    res.json([req.headers[name] ?? null, ...raw]);
  });
  return request(app).get('/mcp');
}

const removed = [
  ...Object.keys(PLACES).flatMap((place) => credentials.map((row) => [place, ...row] as const)),
  // A credential that is in rawHeaders alone is not read.
  ...['both places', 'headers alone'].flatMap((place) => verified.map((row) => [place, ...row] as const)),
];

test.each(removed)('written to %s by an earlier middleware, removed: %s', async (place, _what, policy, name, value) => {
  const response = await seenBehind(policy, name, (req) => PLACES[place]?.(req, name, value));
  expect([response.status, response.body]).toEqual([200, [null]]);
});

test.each(Object.keys(PLACES))('written to %s by an earlier middleware, other credentials stay', async (place) => {
  const basic = 'Basic YWxpY2U6c2VjcmV0';
  const response = await seenBehind(PERMISSIVE, 'authorization', (req) => PLACES[place]?.(req, 'authorization', basic));
  expect(response.status).toBe(200);
  expect(response.body).toContain(basic);
});

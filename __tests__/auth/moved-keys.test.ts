import { afterEach, expect, test, vi } from 'vitest';
import { expectUnavailable, MINUTE, passTime, signer } from '../support/app-with-key-server.js';
import { type Answer, named, OPENID, RFC8414, startIssuer } from '../support/issuer-documents.js';
import { claims } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

const KEYS = { keys: [signer.jwk] };
const moved = createSigner({ kid: 'moved' });
const MOVED = { keys: [moved.jwk] };
const tokenOfMoved = (issuer: string) => moved.sign(claims({ iss: issuer, jti: Math.random().toString() }));

test.each<[string, Answer]>([
  ['404', 404],
  ['410', 410],
  ['a redirect', 302],
  ['a page', '<!doctype html>'],
])('follows the metadata to another place at once, if the old one answers %s', async (_name, gone) => {
  const { protectedApp, token, answer, asked, issuer, lines } = await startIssuer((issuer) => ({
    [RFC8414]: named(issuer),
    '/jwks': KEYS,
  }));
  await protectedApp.send(token());
  answer((issuer) => ({ [RFC8414]: named(issuer, '/new'), '/jwks': gone, '/new': MOVED }));
  expect((await protectedApp.send(tokenOfMoved(issuer))).status).toBe(200);
  expect(asked).toEqual([RFC8414, '/jwks', '/jwks', RFC8414, '/new']);
  expect(lines.filter((line) => line.startsWith('error'))).toEqual([]);
});

test.each<[string, Answer]>([
  ['names the same place', 'same'],
  ['is away', 500],
])('searches at most once in a cool-down for keys that are gone, if the metadata %s', async (_name, metadata) => {
  const { protectedApp, token, answer, asked, issuer, lines } = await startIssuer((issuer) => ({
    [RFC8414]: named(issuer),
    '/jwks': KEYS,
  }));
  await protectedApp.send(token());
  answer((issuer) => ({
    [RFC8414]: metadata === 'same' ? named(issuer) : metadata,
    [OPENID]: metadata === 'same' ? 404 : metadata,
    '/jwks': 404,
  }));
  for (let i = 0; i < 3; i += 1) await expectUnavailable(protectedApp, tokenOfMoved(issuer));
  expect(asked.filter((path) => path === '/jwks')).toHaveLength(2);
  expect(asked.filter((path) => path === RFC8414)).toHaveLength(2);
  expect(lines).toContain(`error key set of ${issuer}: GET ${issuer}/jwks failed: it answered with status 404`);
  expect((await protectedApp.send(token())).status, 'known keys').toBe(200);
  answer((issuer) => ({ [RFC8414]: named(issuer, '/new'), '/new': MOVED }));
  passTime(MINUTE / 2 + 1);
  expect((await protectedApp.send(tokenOfMoved(issuer))).status).toBe(200);
});

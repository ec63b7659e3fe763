import { describe, expect, test } from 'vitest';
import type { GoogleServer } from '../support/google-server.js';
import { type IdentityFlow, logIn, startIdentityFlow } from '../support/identity-flow.js';
import { createSigner } from '../support/signer.js';

type Claims = Record<string, unknown>;

const now = () => Math.floor(Date.now() / 1_000);

/** A login at Google with an ID token that has other claims. */
async function logInWith(
  change: (claims: Claims) => Claims,
): Promise<{ flow: IdentityFlow; status: number; body: unknown }> {
  const flow = await startIdentityFlow('Google');
  (flow.upstream as GoogleServer).changeIdToken(change);
  const { answer } = await logIn(flow);
  return { flow, ...answer };
}

describe('an ID token', () => {
  test.each<[string, Claims]>([
    ['of the issuer without a scheme', { iss: 'accounts.google.com' }],
    ['for a list with one client', { aud: ['Iv1.client'] }],
    ['for several clients, of which ours is the authorized party', { aud: ['Iv1.client', 'other'], azp: 'Iv1.client' }],
    ['that expired just now, within the tolerance', { exp: now() - 1 }],
  ])('%s is accepted', async (_case, changes) => {
    expect(await logInWith((claims) => ({ ...claims, ...changes }))).toMatchObject({ status: 200 });
  });

  test.each<[string, Claims]>([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['of an issuer with a slash', { iss: 'https://accounts.google.com/' }],
    ['without an issuer', { iss: undefined }],
    ['for another client', { aud: 'other' }],
    ['for no client', { aud: undefined }],
    ['for several clients, with another authorized party', { aud: ['Iv1.client', 'other'], azp: 'other' }],
    ['for several clients, without an authorized party', { aud: ['Iv1.client', 'other'], azp: undefined }],
    ['with another authorized party', { azp: 'other' }],
    ['that has expired', { exp: now() - 3_600 }],
    ['that never expires', { exp: undefined }],
    ['whose expiry is a text', { exp: '9999999999' }],
    ['of another login', { nonce: 'another' }],
    ['without a nonce', { nonce: undefined }],
    ['without a subject', { sub: undefined }],
    ['of another user than the profile', { sub: '100000000000000000042' }],
  ])('%s is refused, and the client is not to blame', async (_case, changes) => {
    const { status, body, flow } = await logInWith((claims) => ({ ...claims, ...changes }));
    expect({ status, body }).toMatchObject({ status: 502, body: { error: 'server_error' } });
    expect(flow.lines.join('\n')).not.toMatch(/eyJ|ya29/);
  });
});

test.each<[string, Claims]>([
  ['without a subject', { email: 'admin@acme.example', hd: 'acme.example' }],
  ['of another user', { sub: '100000000000000000042', hd: 'acme.example' }],
  ['whose subject is a number', { sub: 583_231, hd: 'acme.example' }],
])('a profile %s adds nothing to an ID token: the login fails', async (_case, profile) => {
  const flow = await startIdentityFlow('Google');
  flow.upstream.override(flow.kind.paths.profile, (res) => void res.end(JSON.stringify(profile)));
  expect((await logIn(flow)).answer).toMatchObject({ status: 502, body: { error: 'server_error' } });
});

describe('the signature of an ID token', () => {
  const other = createSigner({ alg: 'RS256' });

  test.each<[string, (server: GoogleServer, claims: Claims) => string]>([
    ['by another key', (_server, claims) => other.sign(claims)],
    ['by another key under the same id', ({ signer }, claims) => other.sign(claims, { kid: signer.kid })],
    ['none', ({ signer }, claims) => signer.sign(claims, { alg: 'none' })],
    ['HS256 over the public key', ({ signer }, claims) => signer.sign(claims, { alg: 'HS256' })],
  ])('%s: the login fails', async (_case, forge) => {
    const flow = await startIdentityFlow('Google');
    const server = flow.upstream as GoogleServer;
    server.forge((claims) => forge(server, claims));
    expect((await logIn(flow)).answer).toMatchObject({ status: 502, body: { error: 'server_error' } });
  });
});

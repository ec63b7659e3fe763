import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import * as oauth from 'oauth4webapi';
import request from 'supertest';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { claims, createGate, METADATA_URL, RESOURCE } from '../support/gate.js';
import { serve } from '../support/serve.js';
import { assemble, createSigner, signatureOf } from '../support/signer.js';

const signer = createSigner();
const holder = createSigner();
const holderJwk = holder.publicKey.export({ format: 'jwk' });
const jkt = await calculateJwkThumbprint(holderJwk as never);
const bound = signer.sign(claims({ cnf: { jkt } }));
const plain = signer.sign(claims());
const ALGS = 'ES256 ES384 ES512 PS256 PS384 PS512 RS256 EdDSA';

afterEach(() => void vi.useRealTimers());

const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url');
const now = () => Math.floor(Date.now() / 1000);

/** A proof for GET of the resource with `bound`; whatever a case is about is merged over it. */
function proof(changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = holder): string {
  const payload = {
    jti: Math.random().toString(),
    htm: 'GET',
    htu: RESOURCE,
    iat: now(),
    ath: hashOf(bound),
    ...changes,
  };
  const jose = { typ: 'dpop+jwt', alg: by.alg, jwk: holderJwk, ...header };
  return assemble(jose, payload, signatureOf(by.alg, by.privateKey));
}

async function present(dpop: string, authorization: string, proofs?: string | string[]) {
  const call = request(createGate({ dpop }, signer).app).get('/mcp').set('authorization', authorization);
  return proofs === undefined ? call : call.set('dpop', proofs as never);
}

describe('DPoP', () => {
  test.each(['accept', 'require'])('a bound token with its proof passes in %s', async (dpop) => {
    const response = await present(dpop, `DPoP ${bound}`, proof());
    expect(response.status).toBe(200);
    expect(response.body.payload.cnf).toEqual({ jkt });
  });

  test.each<[name: string, dpop: string, authorization: string, error: string | undefined, description: string]>([
    [
      'a bound token as a bearer token',
      'off',
      `Bearer ${bound}`,
      'invalid_token',
      'The token is bound to a key or certificate, and must not be presented as a bearer token',
    ],
    [
      'a bound token as a bearer token',
      'accept',
      `Bearer ${bound}`,
      'invalid_token',
      'The token is bound to a key or certificate, and must not be presented as a bearer token',
    ],
    [
      'a bound token as a bearer token',
      'require',
      `Bearer ${bound}`,
      'invalid_token',
      'The token is bound to a key or certificate, and must not be presented as a bearer token',
    ],
    ['the DPoP scheme', 'off', `DPoP ${bound}`, undefined, 'JWT token required'],
    [
      'a plain bearer token',
      'require',
      `Bearer ${plain}`,
      'invalid_token',
      'A token bound to a key is required, with the DPoP scheme and a proof',
    ],
    [
      'a plain token with the DPoP scheme',
      'accept',
      `DPoP ${plain}`,
      'invalid_token',
      'The token is not bound to a key, and must be presented as a bearer token',
    ],
    [
      'another confirmation',
      'accept',
      `DPoP ${signer.sign(claims({ cnf: { kid: 'x' } }))}`,
      'invalid_token',
      'The token is bound in a way that cannot be checked here',
    ],
    [
      'two confirmations',
      'accept',
      `DPoP ${signer.sign(claims({ cnf: { jkt, 'x5t#S256': 'x' } }))}`,
      'invalid_token',
      'The token is bound in a way that cannot be checked here',
    ],
    [
      'a cnf that is a string',
      'off',
      `Bearer ${signer.sign(claims({ cnf: jkt }))}`,
      'invalid_token',
      'The token is bound in a way that cannot be checked here',
    ],
    [
      'an empty cnf',
      'off',
      `Bearer ${signer.sign(claims({ cnf: {} }))}`,
      'invalid_token',
      'The token is bound in a way that cannot be checked here',
    ],
    [
      'a cnf of null',
      'off',
      `Bearer ${signer.sign(claims({ cnf: null }))}`,
      'invalid_token',
      'The token is bound in a way that cannot be checked here',
    ],
  ])('%s in %s is refused', async (_name, dpop, authorization, error, description) => {
    const response = await present(dpop, authorization, proof());
    expect(response.status).toBe(401);
    expect(response.body).toEqual({ error: error ?? 'unauthorized', error_description: description });
  });

  test('no proof', async () => {
    const response = await present('accept', `DPoP ${bound}`);
    expect(response.body).toEqual({ error: 'invalid_dpop_proof', error_description: 'The DPoP header is missing' });
  });

  const other = createSigner();
  test.each<[name: string, proofs: string | string[]]>([
    ['for another method', proof({ htm: 'POST' })],
    ['for another path', proof({ htu: `${RESOURCE}/other` })],
    ['for another host', proof({ htu: 'https://evil.example/mcp' })],
    ['for another scheme', proof({ htu: RESOURCE.replace('https', 'http') })],
    ['for another token', proof({ ath: hashOf(plain) })],
    ['without a token', proof({ ath: undefined })],
    ['without a jti', proof({ jti: undefined })],
    ['with a jti that is no string', proof({ jti: 7 })],
    ['of two minutes ago', proof({ iat: now() - 120 })],
    ['of the future', proof({ iat: now() + 60 })],
    ['with another key', proof({}, { jwk: other.publicKey.export({ format: 'jwk' }) }, other)],
    ['signed with another key than it shows', proof({}, {}, other)],
    ['with a private key in it', proof({}, { jwk: holder.privateKey.export({ format: 'jwk' }) })],
    ['of another type', proof({}, { typ: 'JWT' })],
    ['with alg none', proof({}, { alg: 'none' })],
    ['that is no JWT', 'proof'],
    ['that is empty', ''],
    ['and another', [proof(), proof()]],
  ])('a proof %s is refused', async (_name, proofs) => {
    const response = await present('accept', `DPoP ${bound}`, proofs);
    expect(response.status).toBe(401);
    expect(response.body.error).toBe('invalid_dpop_proof');
  });

  test('a proof is good once, also when two come at once', async () => {
    const { app } = createGate({ dpop: 'accept' }, signer);
    const once = proof();
    const send = () => request(app).get('/mcp').set('authorization', `DPoP ${bound}`).set('dpop', once);
    const answers = await Promise.all([send(), send(), send()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    const late = await send();
    expect(late.body).toEqual({
      error: 'invalid_dpop_proof',
      error_description: 'The DPoP proof has been used before',
    });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 600_000 });
    expect((await send()).body.error, 'forgotten, it is too old').toBe('invalid_dpop_proof');
  });

  test('without a configured resource, htu is the request itself', async () => {
    const { app } = createGate({ dpop: 'accept', audiences: [RESOURCE], resourceMetadata: undefined }, signer);
    const call = (htu: string) =>
      request(app)
        .get('/mcp?x=1')
        .set({ host: 'mcp.test', authorization: `DPoP ${bound}`, dpop: proof({ htu }) });
    expect((await call('http://mcp.test/mcp')).status).toBe(200);
    expect((await call('http://other.test/mcp')).status).toBe(401);
  });

  test('the client library oauth4webapi gets in', async () => {
    const keyPair = await oauth.generateKeyPair('ES256');
    const thumbprint = await calculateJwkThumbprint(await exportJWK(keyPair.publicKey));
    const token = signer.sign(claims({ cnf: { jkt: thumbprint } }));
    const gate = createGate({ dpop: 'require', audiences: [RESOURCE], resourceMetadata: undefined }, signer);
    const url = new URL('/mcp', await serve(gate.app));
    const options = { DPoP: oauth.DPoP({}, keyPair), [oauth.allowInsecureRequests]: true };
    for (const _ of [1, 2]) {
      const response = await oauth.protectedResourceRequest(token, 'POST', url, new Headers(), '{}', options);
      expect(response.status).toBe(200);
    }
  });

  test('in permissive mode a bad proof leaves nothing behind', async () => {
    const { app } = createGate({ dpop: 'accept', mode: 'permissive' }, signer);
    const response = await request(app)
      .get('/mcp')
      .set({ authorization: `DPoP ${bound}`, dpop: 'x' });
    expect(response.body).toEqual({ anonymous: true, authorization: null });
  });

  test.each([
    ['accept', undefined, `Bearer resource_metadata="${METADATA_URL}", DPoP algs="${ALGS}"`],
    [
      'accept',
      `Bearer ${bound}`,
      `Bearer error="invalid_token", error_description="The token is bound to a key or certificate, and must not be presented as a bearer token", resource_metadata="${METADATA_URL}", DPoP algs="${ALGS}"`,
    ],
    [
      'accept',
      `DPoP ${bound}`,
      `Bearer resource_metadata="${METADATA_URL}", DPoP error="invalid_dpop_proof", error_description="The DPoP header is missing", algs="${ALGS}"`,
    ],
    ['require', undefined, `DPoP resource_metadata="${METADATA_URL}", algs="${ALGS}"`],
  ])('the challenge in %s', async (dpop, authorization, challenge) => {
    const response = await createGate({ dpop }, signer).get(authorization);
    expect(response.headers['www-authenticate']).toBe(challenge);
  });

  test('the metadata says so', async () => {
    const path = new URL(METADATA_URL).pathname;
    const accept = await createGate({ dpop: 'accept' }, signer).get(undefined, path);
    expect(accept.body.dpop_signing_alg_values_supported).toEqual(ALGS.split(' '));
    expect(accept.body.dpop_bound_access_tokens_required).toBeUndefined();
    const require = await createGate({ dpop: 'require' }, signer).get(undefined, path);
    expect(require.body.dpop_bound_access_tokens_required).toBe(true);
  });
});

import { calculateJwkThumbprint, exportJWK } from 'jose';
import * as oauth from 'oauth4webapi';
import request from 'supertest';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ALGS, bound, DPOP, hashOf, holder, jkt, now, plain, proof, signer } from '../support/dpop-proofs.js';
import { serve } from '../support/loopback-server.js';
import { claims, createProtectedApp, type ProtectedApp, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

async function present(dpop: keyof typeof DPOP, authorization: string, proofs?: string | string[]) {
  const call = request(createProtectedApp({ senderConstraint: DPOP[dpop] }, signer).app)
    .get('/mcp')
    .set('authorization', authorization);
  return proofs === undefined ? call : call.set('dpop', proofs as never);
}

describe('DPoP', () => {
  test.each(['accept', 'require'] as const)('a bound token with its proof passes in %s', async (dpop) => {
    const response = await present(dpop, `DPoP ${bound}`, proof());
    expect(response.status).toBe(200);
    expect(response.body.payload.cnf).toEqual({ jkt });
  });

  test.each<
    [name: string, dpop: keyof typeof DPOP, authorization: string, error: string | undefined, description: string]
  >([
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

  test('a plain bearer token is refused in require however often it comes', async () => {
    const protectedApp = createProtectedApp({ senderConstraint: { dpop: { required: true } } }, signer);
    for (const _ of [1, 2, 3]) expect((await protectedApp.send(plain)).status).toBe(401);
  });

  test('a bound token is refused as a bearer token also once it is known', async () => {
    const { app, send } = createProtectedApp({ senderConstraint: { dpop: {} } }, signer);
    const good = await request(app)
      .get('/mcp')
      .set({ authorization: `DPoP ${bound}`, dpop: proof() });
    expect(good.status).toBe(200);
    expect((await send(bound)).status).toBe(401);
  });

  test('a bound token signed with Ed25519 by that name is refused, and nothing breaks', async () => {
    const ed = createSigner({ alg: 'EdDSA' });
    const token = ed.sign(claims({ cnf: { jkt } }), { alg: 'Ed25519' });
    const { app } = createProtectedApp({ senderConstraint: { dpop: {} } }, ed);
    const sent = await request(app)
      .get('/mcp')
      .set({ authorization: `DPoP ${token}`, dpop: proof({ ath: hashOf(token) }) });
    expect(sent.status).toBe(401);
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
    ['of 100 seconds ago', proof({ iat: now() - 100 })],
    ['of the future', proof({ iat: now() + 600 })],
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
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    const { app } = createProtectedApp({ senderConstraint: { dpop: {} } }, signer);
    const once = proof();
    const send = () => request(app).get('/mcp').set('authorization', `DPoP ${bound}`).set('dpop', once);
    const answers = await Promise.all([send(), send(), send()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    const late = await send();
    expect(late.body).toEqual({
      error: 'invalid_dpop_proof',
      error_description: 'The DPoP proof has been used before',
    });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 85_000 });
    expect((await send()).body.error_description).toBe('The DPoP proof has been used before');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 600_000 });
    expect((await send()).body.error_description, 'too old').toBe('The DPoP proof is not valid');
  });

  test.each(ALGS.split(' '))('a proof signed with %s passes', async (alg) => {
    const by = createSigner({ alg });
    const jwk = by.publicKey.export({ format: 'jwk' });
    const token = signer.sign(claims({ cnf: { jkt: await calculateJwkThumbprint(jwk as never) } }));
    const response = await present('require', `DPoP ${token}`, proof({ ath: hashOf(token) }, { jwk }, by));
    expect(response.status).toBe(200);
  });

  test('the check of proofs ignores claims that are not needed', async () => {
    const token = signer.sign(claims({ cnf: { jkt }, jti: 7, client_id: undefined }));
    const response = await present('accept', `DPoP ${token}`, proof({ ath: hashOf(token) }));
    expect(response.status).toBe(200);
  });

  test('the client library oauth4webapi is accepted', async () => {
    const keyPair = await oauth.generateKeyPair('ES256');
    const thumbprint = await calculateJwkThumbprint(await exportJWK(keyPair.publicKey));
    const token = signer.sign(claims({ cnf: { jkt: thumbprint } }));
    let protectedApp: ProtectedApp | undefined;
    const url = new URL('/mcp', await serve((req, res) => protectedApp?.app(req, res)));
    protectedApp = createProtectedApp(
      {
        senderConstraint: { dpop: { required: true } },
        audiences: [RESOURCE],
        resourceMetadata: { resource: url.href },
      },
      signer,
    );
    const options = { DPoP: oauth.DPoP({}, keyPair), [oauth.allowInsecureRequests]: true };
    for (const _ of [1, 2]) {
      const response = await oauth.protectedResourceRequest(token, 'POST', url, new Headers(), '{}', options);
      expect(response.status).toBe(200);
    }
  });

  test('in permissive mode a bad proof is removed with its token', async () => {
    const { app } = createProtectedApp({ senderConstraint: { dpop: {} }, mode: 'permissive' }, signer);
    const response = await request(app)
      .get('/mcp')
      .set({ authorization: `DPoP ${bound}`, dpop: 'x' });
    expect(response.body).toEqual({ anonymous: true, authorization: null, credentials: [] });
  });
});

import { createHash, X509Certificate } from 'node:crypto';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { createAppWithKeys, makeKey } from '../support/api-keys.js';
import { CLIENT, OTHER_CLIENT } from '../support/certificates.js';
import { bound, DPOP, hashOf, jkt, now, proof } from '../support/dpop-proofs.js';
import { setUpIntrospection } from '../support/introspection-server.js';
import { claims, expectInvalidToken, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

describe('an opaque token that is bound to a key', () => {
  type Row = [name: string, makeProof: (token: string) => string | undefined, description: string | undefined];
  const WRONG = 'The DPoP proof is not valid';

  test.each<Row>([
    ['passes with its proof', (token) => proof({ ath: hashOf(token) }), undefined],
    [
      'passes with a URL in other capitals',
      (token) => proof({ ath: hashOf(token), htu: 'HTTPS://MCP.example:443/mcp?x#y' }),
      undefined,
    ],
    ['is refused without a proof', () => undefined, 'The DPoP header is missing'],
    ['is refused with a proof for another token', () => proof({ ath: hashOf(bound) }), WRONG],
    ['is refused with a proof without ath', () => proof({ ath: undefined }), WRONG],
    ['is refused with a proof for another method', (token) => proof({ ath: hashOf(token), htm: 'POST' }), WRONG],
    ['is refused with a method in lower case', (token) => proof({ ath: hashOf(token), htm: 'get' }), WRONG],
    ['is refused with a proof for another path', (token) => proof({ ath: hashOf(token), htu: `${RESOURCE}/x` }), WRONG],
    [
      'is refused with a proof for another host',
      (token) => proof({ ath: hashOf(token), htu: 'https://evil.example/mcp' }),
      WRONG,
    ],
    ['is refused with an htu that is no URL', (token) => proof({ ath: hashOf(token), htu: '/mcp' }), WRONG],
    ['is refused with an old proof', (token) => proof({ ath: hashOf(token), iat: now() - 600 }), WRONG],
    ['is refused with a proof of tomorrow', (token) => proof({ ath: hashOf(token), iat: now() + 600 }), WRONG],
    ['is refused with a proof without iat', (token) => proof({ ath: hashOf(token), iat: undefined }), WRONG],
    ['is refused with a proof without jti', (token) => proof({ ath: hashOf(token), jti: undefined }), WRONG],
    ['is refused with a jti that is a number', (token) => proof({ ath: hashOf(token), jti: 7 }), WRONG],
    ['is refused with another type', (token) => proof({ ath: hashOf(token) }, { typ: 'JWT' }), WRONG],
    ['is refused with the algorithm none', (token) => proof({ ath: hashOf(token) }, { alg: 'none' }), WRONG],
    ['is refused with another key', (token) => otherProof(token), WRONG],
    ['is refused with a forged signature', (token) => proof({ ath: hashOf(token) }, {}, createSigner()), WRONG],
    ['is refused with a proof that is no JWT', () => 'proof', WRONG],
    [
      'is refused with two proofs',
      (token) => `${proof({ ath: hashOf(token) })},${proof({ ath: hashOf(token) })}`,
      WRONG,
    ],
  ])('%s', async (_name, makeProof, description) => {
    const { server, protectedApp } = await setUpIntrospection({ senderConstraint: DPOP.accept });
    const token = server.issue({ cnf: { jkt }, token_type: 'DPoP' });
    const call = request(protectedApp.app).get('/mcp').set('authorization', `DPoP ${token}`);
    const made = makeProof(token);
    const response = await (made === undefined ? call : call.set('dpop', made));
    if (description === undefined) expect(response.status).toBe(200);
    else {
      expect(response.status).toBe(401);
      expect(response.body).toEqual({ error: 'invalid_dpop_proof', error_description: description });
    }
  });

  function otherProof(token: string): string {
    const other = createSigner();
    return proof({ ath: hashOf(token) }, { jwk: other.publicKey.export({ format: 'jwk' }) }, other);
  }

  test('passes once with each proof, again and again with new ones', async () => {
    const { server, protectedApp } = await setUpIntrospection({ senderConstraint: DPOP.require });
    const token = server.issue({ cnf: { jkt } });
    const send = (dpop: string) =>
      request(protectedApp.app)
        .get('/mcp')
        .set({ authorization: `DPoP ${token}`, dpop })
        .then(({ status, body }) => [status, body.error_description]);
    const first = proof({ ath: hashOf(token) });
    expect(await send(first)).toEqual([200, undefined]);
    expect(await send(first)).toEqual([401, 'The DPoP proof has been used before']);
    expect(await send(proof({ ath: hashOf(token) }))).toEqual([200, undefined]);
    expect(server.asked).toHaveLength(1);
  });

  test.each(['off', 'accept', 'require'] as const)('is no bearer token (%s)', async (dpop) => {
    const { server, protectedApp } = await setUpIntrospection({ senderConstraint: DPOP[dpop] });
    const description = 'The token is bound to a key or certificate, and must not be presented as a bearer token';
    const response = await protectedApp.send(server.issue({ cnf: { jkt } }));
    expect(response.status).toBe(401);
    expect(response.body.error_description).toBe(description);
  });

  test('is refused if it is bound in two ways, or to nothing', async () => {
    const { server, protectedApp } = await setUpIntrospection();
    for (const cnf of [{ jkt, 'x5t#S256': 'x' }, {}, 'x', null]) {
      expectInvalidToken(
        await protectedApp.send(server.issue({ cnf })),
        'The token is bound in a way that cannot be checked here',
      );
    }
  });

  test('a plain opaque token is refused where proofs are required', async () => {
    const { server, protectedApp } = await setUpIntrospection({ senderConstraint: DPOP.require });
    expect((await protectedApp.send(server.issue())).status).toBe(401);
  });
});

describe('an opaque token that is bound to a certificate', () => {
  const der = new X509Certificate(CLIENT.cert).raw;
  const cnf = { 'x5t#S256': createHash('sha256').update(der).digest('base64url') };
  const NEEDED = 'A token bound to a client certificate is required, on a connection with that certificate';
  const WRONG = 'The token is bound to another client certificate';

  test.each<[name: string, certificate: unknown, description: string | undefined]>([
    ['as PEM', CLIENT.cert, undefined],
    ['as DER', der, undefined],
    ['of another client', OTHER_CLIENT.cert, WRONG],
    ['that is rubbish', 'rubbish', WRONG],
    ['that is empty', Buffer.alloc(0), WRONG],
    ['that is missing', undefined, NEEDED],
  ])('and a certificate %s', async (_name, certificate, description) => {
    const senderConstraint = { mtls: { getCertificate: () => certificate, required: true } };
    const { server, protectedApp } = await setUpIntrospection({ senderConstraint });
    const token = server.issue({ cnf });
    for (const _ of [1, 2]) {
      const response = await protectedApp.send(token);
      if (description === undefined) expect(response.status).toBe(200);
      else expectInvalidToken(response, description);
    }
    expectInvalidToken(await protectedApp.send(server.issue()), NEEDED);
  });

  test('is refused where mtls is not set', async () => {
    const { server, protectedApp } = await setUpIntrospection();
    expect((await protectedApp.send(server.issue({ cnf }))).status).toBe(401);
    expect(claims().cnf).toBeUndefined();
  });
});

describe('an API key where every token must be bound to a certificate', () => {
  const cnf = { 'x5t#S256': createHash('sha256').update(new X509Certificate(CLIENT.cert).raw).digest('base64url') };
  const ofClient = makeKey({ claims: { cnf } });
  const plain = makeKey();
  const send = (apiKeys: unknown, key: string, certificate: string) => {
    const senderConstraint = { mtls: { getCertificate: () => certificate, required: true } };
    return createAppWithKeys(apiKeys, { senderConstraint }).withHeaders({ 'x-api-key': key });
  };

  test.each<[string, unknown]>([
    ['of a list', [ofClient.entry, plain.entry]],
    ['of a function', async (sha256: string) => [ofClient.entry, plain.entry].find((entry) => entry.sha256 === sha256)],
  ])('%s passes with its certificate', async (_whose, apiKeys) => {
    expect((await send(apiKeys, ofClient.key, CLIENT.cert)).status).toBe(200);
    expect((await send(apiKeys, ofClient.key, OTHER_CLIENT.cert)).status).toBe(401);
    expect((await send(apiKeys, plain.key, CLIENT.cert)).status).toBe(401);
  });

  test.each<[string, unknown]>([
    ['no keys yet', []],
    ['a function', () => undefined],
  ])('is possible, so %s is accepted at construction', async (_what, apiKeys) => {
    expect((await send(apiKeys, plain.key, CLIENT.cert)).status).toBe(401);
  });
});

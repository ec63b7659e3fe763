import { createHmac, createSign } from 'node:crypto';
import { SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { startKeyServer } from '../support/key-server.js';
import { claims, createAppInEveryMode, expectInvalidToken } from '../support/protected-app.js';
import { assemble, createSigner, pemOf, signatureOf } from '../support/signer.js';

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

describe.each(ALGORITHMS)('%s', (alg) => {
  const signer = createSigner({ alg });
  const protectedApp = createAppInEveryMode({}, signer);

  test('signed by node:crypto passes', async () => {
    expect((await protectedApp.send(signer.sign(claims()))).body).toMatchObject({
      payload: { sub: 'alice' },
      header: { alg },
    });
  });

  test('signed by jose passes', async () => {
    const token = await new SignJWT(claims()).setProtectedHeader({ alg, kid: signer.kid }).sign(signer.privateKey);
    expect((await protectedApp.send(token)).status).toBe(200);
  });

  if (alg !== 'EdDSA') {
    test('signed by jsonwebtoken passes', async () => {
      const options = { algorithm: alg as jsonwebtoken.Algorithm, keyid: signer.kid };
      expect((await protectedApp.send(jsonwebtoken.sign(claims(), signer.privateKey, options))).status).toBe(200);
    });
  }

  test('signed by another key of the same kid is refused', async () => {
    const forged = createSigner({ alg, kid: signer.kid }).sign(claims());
    expectInvalidToken(await protectedApp.send(forged), 'The token has an invalid signature');
  });

  test('the key without alg and use in its JWK is as good', async () => {
    const { alg: _alg, use: _use, ...bare } = signer.jwk;
    expect((await createAppInEveryMode({ jwks: { keys: [bare] } }, signer).send(signer.sign(claims()))).status).toBe(
      200,
    );
  });
});

describe.each([
  ['ES256', 32],
  ['ES384', 48],
  ['ES512', 66],
])('%s, with numbers of %d bytes', (alg, bytes) => {
  const signer = createSigner({ alg });
  const protectedApp = createAppInEveryMode({}, signer);
  const send = (signature: (good: Buffer) => Buffer) => {
    const header = { alg, kid: signer.kid };
    const sign = signatureOf(alg, signer.privateKey);
    return protectedApp.send(assemble(header, claims(), (input) => signature(sign(input))));
  };

  test.each<[name: string, signature: (good: Buffer) => Buffer]>([
    ['nothing but zeros', (good) => Buffer.alloc(good.length)],
    ['nothing but ones', (good) => Buffer.alloc(good.length, 0xff)],
    ['r of zero', (good) => Buffer.concat([Buffer.alloc(bytes), good.subarray(bytes)])],
    ['s of zero', (good) => Buffer.concat([good.subarray(0, bytes), Buffer.alloc(bytes)])],
    ['a byte less', (good) => good.subarray(0, -1)],
    ['a byte more', (good) => Buffer.concat([good, Buffer.alloc(1)])],
    ['a zero before', (good) => Buffer.concat([Buffer.alloc(1), good])],
    ['DER', () => createSign('sha256').update('x').sign(signer.privateKey)],
    ['nothing', () => Buffer.alloc(0)],
  ])('%s is no signature', async (_name, signature) => {
    expectInvalidToken(await send(signature), 'The token has an invalid signature');
  });
});

describe('algorithm confusion', () => {
  const rsa = createSigner({ alg: 'RS256' });
  const ec = createSigner({ alg: 'ES256' });
  const ed = createSigner({ alg: 'EdDSA' });
  const protectedApp = createAppInEveryMode({ jwks: { keys: [rsa.jwk, ec.jwk, ed.jwk] } }, rsa);
  const hmac = (secret: string) => (input: string) => createHmac('sha256', secret).update(input).digest();
  const pem = pemOf(rsa.publicKey);
  const unsigned = () => Buffer.alloc(0);
  const notAccepted = 'The token is signed with an algorithm that is not accepted here';

  test.each<[name: string, header: Record<string, unknown>, signature: (input: string) => Buffer]>([
    ['alg "None"', { alg: 'None' }, unsigned],
    ['alg "NONE"', { alg: 'NONE' }, unsigned],
    ['an empty alg', { alg: '' }, unsigned],
    ['alg "none"', { alg: 'none' }, unsigned],
    ['alg "none" with a kid', { alg: 'none', kid: rsa.kid }, unsigned],
    ['HS256 with the RSA public PEM as secret', { alg: 'HS256', kid: rsa.kid }, hmac(pem)],
    ['HS256 with the PEM, trimmed', { alg: 'HS256', kid: rsa.kid }, hmac(pem.trim())],
    ['HS256 with the PEM, padded', { alg: 'HS256', kid: rsa.kid }, hmac(`\n ${pem}\n`)],
    ["HS256 with the JWK's JSON as secret", { alg: 'HS256', kid: rsa.kid }, hmac(JSON.stringify(rsa.jwk))],
    ['HS256 with an empty secret', { alg: 'HS256', kid: rsa.kid }, hmac('')],
    ['an ES header on an RSA key', { alg: 'ES256', kid: rsa.kid }, signatureOf('RS256', rsa.privateKey)],
    ['an RS header on an EC key', { alg: 'RS256', kid: ec.kid }, signatureOf('ES256', ec.privateKey)],
    ['ES384 on a P-256 key', { alg: 'ES384', kid: ec.kid }, signatureOf('ES384', ec.privateKey)],
    ['PS256 where the key is for RS256', { alg: 'PS256', kid: rsa.kid }, signatureOf('PS256', rsa.privateKey)],
    ['EdDSA on an EC key', { alg: 'EdDSA', kid: ec.kid }, signatureOf('EdDSA', ed.privateKey)],
    ['an algorithm in lower case', { alg: 'rs256', kid: rsa.kid }, signatureOf('RS256', rsa.privateKey)],
    ['ES256K', { alg: 'ES256K', kid: ec.kid }, signatureOf('ES256', ec.privateKey)],
  ])('%s is refused', async (_name, header, signature) => {
    expectInvalidToken(await protectedApp.send(assemble(header, claims(), signature)), notAccepted);
  });

  test.each([
    ['RS256 header, PS256 signature', 'RS256', 'PS256'],
    ['PS256 header, RS256 signature', 'PS256', 'RS256'],
  ])('%s is refused by a key for any RSA algorithm', async (_name, alg, signedAs) => {
    const { alg: _alg, ...jwk } = rsa.jwk;
    const token = assemble({ alg, kid: rsa.kid }, claims(), signatureOf(signedAs, rsa.privateKey));
    const response = await createAppInEveryMode({ jwks: { keys: [jwk] } }, rsa).send(token);
    expectInvalidToken(response, 'The token has an invalid signature');
  });

  test('an ES256 signature in DER form is refused', async () => {
    // The signature function of RS256 writes ASN.1 if it gets an EC key.
    const token = assemble({ alg: 'ES256', kid: ec.kid }, claims(), signatureOf('RS256', ec.privateKey));
    expectInvalidToken(await protectedApp.send(token), 'The token has an invalid signature');
  });

  test.each(['jwk', 'jku', 'x5u', 'x5c'])('a key brought along in the header (%s) is ignored', async (name) => {
    const mallory = createSigner({ alg: 'RS256', kid: 'mallory' });
    const server = await startKeyServer([mallory.jwk]);
    const brought = { jwk: mallory.jwk, jku: server.url, x5u: server.url, x5c: ['MII='] }[name];
    const unknown = 'The token is signed with an unknown key';
    expectInvalidToken(await protectedApp.send(mallory.sign(claims(), { [name]: brought })), unknown);
    const known = await protectedApp.send(rsa.sign(claims(), { [name]: brought }));
    expect(known.status, 'a good token may carry it').toBe(200);
    expect(server.requests).toBe(0);
  });

  test.each([
    ['crit', { crit: ['exp'], exp: 1 }],
    ['crit of an unknown name', { crit: ['urn:x'], 'urn:x': true }],
    ['an empty crit', { crit: [] }],
    ['b64: false', { b64: false, crit: ['b64'] }],
    ['b64 without crit', { b64: false }],
  ])('%s is refused', async (_name, header) => {
    const response = await protectedApp.send(rsa.sign(claims(), header));
    expectInvalidToken(response, 'The token requires an extension (crit) that is not supported here');
  });

  test.each([
    ['a header', `{"alg":"none","alg":"RS256","kid":"${rsa.kid}"}`, JSON.stringify(claims())],
    [
      'a payload',
      { alg: 'RS256', kid: rsa.kid },
      JSON.stringify(claims()).replace('"sub":"alice"', '"sub":"alice","sub":"root"'),
    ],
    [
      'a nested object',
      { alg: 'RS256', kid: rsa.kid },
      JSON.stringify(claims({ act: 0 })).replace('"act":0', '"act":{"a":1,"\\u0061":2}'),
    ],
  ])('a member that stands twice in %s is refused', async (_name, header, payload) => {
    expectInvalidToken(await protectedApp.send(rsa.sign(payload, header)), 'The token is not a well-formed JWT');
  });
});

describe('the form of a token', () => {
  const signer = createSigner();
  const protectedApp = createAppInEveryMode({}, signer);
  const good = signer.sign(claims());
  const [header = '', payload = '', signature = ''] = good.split('.');
  const encode = (text: string | Buffer) => Buffer.from(text).toString('base64url');

  test.each([
    ['padding', `${header}.${payload}.${signature}=`],
    ['base64 instead of base64url', `${header}.${payload}.${signature.slice(0, -2)}+/`],
    ['a header that is no JSON', `${encode('{')}.${payload}.${signature}`],
    ['a header that is a list', `${encode('[]')}.${payload}.${signature}`],
    ['a payload that is null', `${header}.${encode('null')}.${signature}`],
    ['a payload that is no UTF-8', `${header}.${encode(Buffer.from([0x7b, 0xff, 0x7d]))}.${signature}`],
    ['a byte order mark', `${encode(`\ufeff{"alg":"ES256"}`)}.${payload}.${signature}`],
    ['an empty header', `.${payload}.${signature}`],
    ['a payload nested too deep', `${header}.${encode('['.repeat(5000) + ']'.repeat(5000))}.${signature}`],
    ['no alg', `${encode('{"kid":"x"}')}.${payload}.${signature}`],
    ['an alg that is a number', `${encode('{"alg":256}')}.${payload}.${signature}`],
  ])('%s is refused', async (_name, token) => {
    expectInvalidToken(await protectedApp.send(token), 'The token is not a well-formed JWT');
  });

  test('a last character with unused bits set, which decodes to the same bytes, is refused', async () => {
    // 64 bytes leave four unused bits in the last of 86 characters.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = alphabet[alphabet.indexOf(signature.slice(-1)) + 1];
    const token = `${header}.${payload}.${signature.slice(0, -1)}${twin}`;
    expect(Buffer.from(token.split('.')[2] as string, 'base64url')).toEqual(Buffer.from(signature, 'base64url'));
    expectInvalidToken(await protectedApp.send(token), 'The token is not a well-formed JWT');
  });

  test('an opaque token is named as such', async () => {
    const description = 'The token is opaque, not a JWT; ask the authorization server for a JWT access token';
    for (const token of ['abc', 'a.b', 'a.b.c.d']) expectInvalidToken(await protectedApp.send(token), description);
  });

  test('an encrypted token is named as such', async () => {
    const description = 'The token is encrypted (JWE), not a signed JWT; ask the authorization server for a signed one';
    expectInvalidToken(await protectedApp.send('a.b.c.d.e'), description);
  });

  test('a token of more than maxTokenBytes is refused before it is looked at', async () => {
    const response = await createAppInEveryMode({ maxTokenBytes: good.length - 1 }, signer).send(good);
    expect(response.status).toBe(400);
    expect(response.body).toEqual({ error: 'invalid_request', error_description: 'The token is too long' });
    expect((await createAppInEveryMode({ maxTokenBytes: good.length }, signer).send(good)).status).toBe(200);
  });
});

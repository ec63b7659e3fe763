import { describe, expect, test } from 'vitest';
import { startKeyServer } from '../support/key-server.js';
import {
  claims,
  createGate,
  createGateInEveryMode,
  expectInvalidToken,
  ISSUER,
  RESOURCE,
} from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

const unknownKey = 'The token is signed with a key not known here';

describe('the kid of a token', () => {
  const signer = createSigner({ kid: 'a' });
  const twin = createSigner({ kid: 'b' });
  const without = (kid: unknown) => signer.sign(claims(), { kid });

  test('none, with one key that fits', async () => {
    const rsa = createSigner({ alg: 'RS256' });
    const response = await createGateInEveryMode({ jwks: { keys: [signer.jwk, rsa.jwk] } }, signer).send(
      without(undefined),
    );
    expect(response.status).toBe(200);
  });

  test('none, with several keys that fit', async () => {
    const response = await createGateInEveryMode({ jwks: { keys: [signer.jwk, twin.jwk] } }, signer).send(
      without(undefined),
    );
    expectInvalidToken(response, unknownKey);
  });

  test.each([[1], [{}], [null], [true], [['a']]])('%j, which is not a string', async (kid) => {
    expectInvalidToken(
      await createGateInEveryMode({}, signer).send(without(kid)),
      'The token is not a well-formed JWT',
    );
  });

  test.each([['__proto__'], ['constructor'], ['../a'], ['a '], ['A'], ['']])(
    '%j, which is no key of the set',
    async (kid) => {
      expectInvalidToken(await createGateInEveryMode({}, signer).send(without(kid)), unknownKey);
    },
  );

  test('a name that every object has is a good one if a key bears it', async () => {
    const odd = createSigner({ kid: '__proto__' });
    expect(
      (await createGateInEveryMode({ jwks: { keys: [signer.jwk, odd.jwk] } }, odd).send(odd.sign(claims()))).status,
    ).toBe(200);
  });
});

describe('two issuers', () => {
  const one = createSigner({ kid: 'same' });
  const two = createSigner({ kid: 'same' });
  const gate = createGateInEveryMode({
    issuer: undefined,
    jwks: undefined,
    issuers: [
      { issuer: 'https://one.example', jwks: { keys: [one.jwk] } },
      { issuer: 'https://two.example', jwks: { keys: [two.jwk] }, audiences: ['two'] },
    ],
  });

  test('each is judged with its own keys and audiences', async () => {
    const first = await gate.send(one.sign(claims({ iss: 'https://one.example' })));
    const second = await gate.send(two.sign(claims({ iss: 'https://two.example', aud: 'two' })));
    expect([first.status, second.status]).toEqual([200, 200]);
  });

  test('equal kids do not meet', async () => {
    const crossed = await gate.send(one.sign(claims({ iss: 'https://two.example', aud: 'two' })));
    expectInvalidToken(crossed, 'The token has an invalid signature');
  });

  test('an audience of one is none of the other', async () => {
    const crossed = await gate.send(one.sign(claims({ iss: 'https://one.example', aud: 'two' })));
    expectInvalidToken(crossed, 'The token is meant for another audience');
  });

  test('both stand in the metadata', async () => {
    const { body } = await gate.get(undefined, '/.well-known/oauth-protected-resource/mcp');
    expect(body.authorization_servers).toEqual(['https://one.example', 'https://two.example']);
  });
});

describe('keys that cannot be used', () => {
  const signer = createSigner({ kid: 'good' });
  const ec = createSigner({ kid: 'bad' }).jwk;
  const unusable: [why: string, jwk: unknown][] = [
    ['is not for signatures (use)', { ...ec, use: 'enc' }],
    ['is not for verifying (key_ops)', { ...ec, key_ops: ['sign'] }],
    ['has an alg not accepted here', { ...ec, alg: 'ECDH-ES' }],
    ['is not a public key (kty RSA, EC or OKP)', { kty: 'oct', k: 'c2VjcmV0', kid: 'bad', alg: 'HS256' }],
    ['is broken, or of an unknown curve', { ...ec, crv: 'secp256k1' }],
    ['is broken, or of an unknown curve', { ...ec, x: 'AAAA' }],
    ['is a private key, which does not belong in a key set', { ...ec, d: 'AAAA' }],
    ['has 1024 bits; 2048 are the least', createSigner({ alg: 'RS256', kid: 'bad', bits: 1024 }).jwk],
    ['has an exponent that no RSA key has', { ...createSigner({ alg: 'RS256', kid: 'bad' }).jwk, e: 'AQ' }],
    ['has a kid that is not a string', { ...ec, kid: 7 }],
    ['is not an object', null],
  ];

  test.each(unusable)('one that %s is skipped and named, and the others work', async (why, jwk) => {
    const { lines, logger } = createRecordingLogger();
    const gate = createGate({ jwks: { keys: [jwk, signer.jwk] }, logger }, signer);
    expect((await gate.send(signer.sign(claims()))).status).toBe(200);
    const name = (jwk as { kid?: unknown } | null)?.kid === 'bad' ? '"bad"' : 'number 1';
    expect(lines).toEqual([`warn key set of ${ISSUER}: key ${name} ${why}: skipped`]);
  });

  test.each(['throws', 'rejects'])('a logger that %s spoils nothing', async (how) => {
    const fail = () => {
      if (how === 'rejects') return Promise.reject(new Error('broken'));
      throw new Error('broken');
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    const keys = [{ ...ec, use: 'enc' }, signer.jwk];
    const server = await startKeyServer(keys);
    for (const jwks of [{ keys }, { url: server.url }, () => ({ keys })]) {
      expect((await createGate({ jwks, logger }, signer).send(signer.sign(claims()))).status).toBe(200);
    }
    await server.goDown();
    const down = createGate({ jwks: { url: server.url }, logger }, signer);
    expect((await down.send(signer.sign(claims()))).status).toBe(503);
  });

  test('a set of nothing else is our trouble: 503, and never 401', async () => {
    const { lines, logger } = createRecordingLogger();
    const gate = createGate({ jwks: { keys: [{ ...ec, use: 'enc' }] }, logger }, signer);
    expect((await gate.send(signer.sign(claims()))).status).toBe(503);
    expect(lines).toContain(`error key set of ${ISSUER}: it holds no usable key`);
  });

  test('key_ops with verify among others is usable', async () => {
    const jwk = { ...signer.jwk, use: undefined, key_ops: ['sign', 'verify'] };
    expect((await createGate({ jwks: { keys: [jwk] } }, signer).send(signer.sign(claims()))).status).toBe(200);
  });
});

test('a key set may be JSON text, as in agentgateway', async () => {
  const signer = createSigner();
  const gate = createGate({ jwks: JSON.stringify({ keys: [signer.jwk] }), audiences: [RESOURCE] }, signer);
  expect((await gate.send(signer.sign(claims()))).status).toBe(200);
});

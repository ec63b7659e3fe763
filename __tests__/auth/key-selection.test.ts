import { afterEach, describe, expect, test, vi } from 'vitest';
import { fresh, MINUTE, passTime } from '../support/app-with-key-server.js';
import { startKeyServer } from '../support/key-server.js';
import {
  claims,
  createAppInEveryMode,
  createProtectedApp,
  expectInvalidToken,
  ISSUER,
  RESOURCE,
} from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

const unknownKey = 'The token is signed with an unknown key';

describe('the kid of a token', () => {
  const signer = createSigner({ kid: 'a' });
  const twin = createSigner({ kid: 'b' });
  const without = (kid: unknown) => signer.sign(claims(), { kid });

  test('none, with one key that fits', async () => {
    const rsa = createSigner({ alg: 'RS256' });
    const response = await createAppInEveryMode({ jwks: { keys: [signer.jwk, rsa.jwk] } }, signer).send(
      without(undefined),
    );
    expect(response.status).toBe(200);
  });

  test('none, with several keys that fit', async () => {
    const response = await createAppInEveryMode({ jwks: { keys: [signer.jwk, twin.jwk] } }, signer).send(
      without(undefined),
    );
    expectInvalidToken(response, unknownKey);
  });

  test.each([[1], [{}], [null], [true], [['a']]])('%j, which is not a string', async (kid) => {
    expectInvalidToken(await createAppInEveryMode({}, signer).send(without(kid)), 'The token is not a well-formed JWT');
  });

  test.each([['__proto__'], ['constructor'], ['../a'], ['a '], ['A'], ['']])(
    '%j, which is no key of the set',
    async (kid) => {
      expectInvalidToken(await createAppInEveryMode({}, signer).send(without(kid)), unknownKey);
    },
  );

  test('a name that every object has works if a key has it', async () => {
    const odd = createSigner({ kid: '__proto__' });
    expect(
      (await createAppInEveryMode({ jwks: { keys: [signer.jwk, odd.jwk] } }, odd).send(odd.sign(claims()))).status,
    ).toBe(200);
  });
});

describe('two issuers', () => {
  const one = createSigner({ kid: 'same' });
  const two = createSigner({ kid: 'same' });
  const protectedApp = createAppInEveryMode({
    issuer: undefined,
    jwks: undefined,
    issuers: [
      { issuer: 'https://one.example', jwks: { keys: [one.jwk] } },
      { issuer: 'https://two.example', jwks: { keys: [two.jwk] }, audiences: ['two'] },
    ],
  });

  test('each is checked with its own keys and audiences', async () => {
    const first = await protectedApp.send(one.sign(claims({ iss: 'https://one.example' })));
    const second = await protectedApp.send(two.sign(claims({ iss: 'https://two.example', aud: 'two' })));
    expect([first.status, second.status]).toEqual([200, 200]);
  });

  test('equal kids are not confused', async () => {
    const crossed = await protectedApp.send(one.sign(claims({ iss: 'https://two.example', aud: 'two' })));
    expectInvalidToken(crossed, 'The token has an invalid signature');
  });

  test('an audience of one is none of the other', async () => {
    const crossed = await protectedApp.send(one.sign(claims({ iss: 'https://one.example', aud: 'two' })));
    expectInvalidToken(crossed, 'The token is meant for another audience');
  });

  test('both are in the metadata', async () => {
    const { body } = await protectedApp.get(undefined, '/.well-known/oauth-protected-resource/mcp');
    expect(body.authorization_servers).toEqual(['https://one.example', 'https://two.example']);
  });
});

describe('keys that cannot be used', () => {
  const signer = createSigner({ kid: 'good' });
  const ec = createSigner({ kid: 'bad' }).jwk;
  const unusable: [why: string, jwk: unknown][] = [
    ['is not for signatures (use)', { ...ec, use: 'enc' }],
    ['is not for verifying (key_ops)', { ...ec, key_ops: ['sign'] }],
    ['has an alg that is not accepted here', { ...ec, alg: 'ECDH-ES' }],
    ['is not a public key (kty RSA, EC or OKP)', { kty: 'oct', k: 'c2VjcmV0', kid: 'bad', alg: 'HS256' }],
    ['is malformed, or uses an unsupported curve', { ...ec, crv: 'secp256k1' }],
    ['is malformed, or uses an unsupported curve', { ...ec, x: 'AAAA' }],
    ['is a private key; a key set must contain public keys only', { ...ec, d: 'AAAA' }],
    ['has 1024 bits; at least 2048 are required', createSigner({ alg: 'RS256', kid: 'bad', bits: 1024 }).jwk],
    ['has an invalid RSA exponent', { ...createSigner({ alg: 'RS256', kid: 'bad' }).jwk, e: 'AQ' }],
    ['has a kid that is not a string', { ...ec, kid: 7 }],
    ['is not an object', null],
  ];

  test.each(unusable)('one that %s is skipped and named, and the others work', async (why, jwk) => {
    const { lines, logger } = createRecordingLogger();
    const protectedApp = createProtectedApp({ jwks: { keys: [jwk, signer.jwk] }, logger }, signer);
    expect((await protectedApp.send(signer.sign(claims()))).status).toBe(200);
    const name = (jwk as { kid?: unknown } | null)?.kid === 'bad' ? '"bad"' : 'number 1';
    const level = (jwk as { use?: unknown } | null)?.use === 'enc' ? 'debug' : 'warn';
    expect(lines).toEqual([`${level} key set of ${ISSUER}: key ${name} ${why}: skipped`]);
  });

  const RSA_OAEP = createSigner({ alg: 'RS256', kid: 'oaep' }).jwk;

  test.each<[what: string, level: string, jwk: object]>([
    ["Keycloak's key for encryption", 'debug', { ...RSA_OAEP, use: 'enc', alg: 'RSA-OAEP' }],
    ['a key for encryption by its alg', 'debug', { ...RSA_OAEP, use: undefined, alg: 'RSA-OAEP-256' }],
    ['a key for key agreement', 'debug', { ...ec, use: undefined, alg: 'ECDH-ES+A128KW' }],
    ['a key for wrapping keys', 'debug', { ...RSA_OAEP, use: undefined, alg: undefined, key_ops: ['wrapKey'] }],
    ['a key for signatures, of an alg for encryption', 'warn', { ...RSA_OAEP, use: 'sig', alg: 'RSA-OAEP' }],
    ['a key without operations that only signs', 'warn', { ...ec, key_ops: ['sign'] }],
    ['a key of an unknown alg', 'warn', { ...ec, alg: 'HS256' }],
  ])('%s is logged once, at %s, however often the set is read', async (_what, level, jwk) => {
    const { lines, logger } = createRecordingLogger();
    const server = await startKeyServer([jwk, signer.jwk]);
    const remote = createProtectedApp({ jwks: { url: server.url }, logger }, signer);
    const live = createProtectedApp({ jwks: () => ({ keys: [jwk, signer.jwk] }), logger }, signer);
    server.headers = { 'cache-control': 'max-age=0' };
    for (const protectedApp of [remote, live]) {
      lines.length = 0;
      for (let i = 0; i < 3; i += 1) {
        passTime(10 * MINUTE);
        expect((await protectedApp.send(fresh(signer))).status).toBe(200);
      }
      const skipped = lines.filter((line) => line.includes('skipped'));
      expect(skipped).toEqual([expect.stringMatching(`^${level} key set of `)]);
    }
    expect(server.requests).toBeGreaterThan(1);
  });

  test('no more than a thousand keys are read', async () => {
    const { lines, logger } = createRecordingLogger();
    const keys = [signer.jwk, ...Array.from({ length: 20_000 }, () => ({ kty: 'RSA' })), createSigner().jwk];
    const began = process.cpuUsage();
    const protectedApp = createProtectedApp({ jwks: { keys }, logger }, signer);
    expect((await protectedApp.send(signer.sign(claims()))).status).toBe(200);
    expect(process.cpuUsage(began).user / 1_000, 'milliseconds').toBeLessThan(3_000);
    expect(lines).toEqual([expect.stringContaining('20001 keys are skipped: key number 2 is malformed')]);
  });

  test('85,000 keys are logged in one line', async () => {
    const { lines, logger } = createRecordingLogger();
    const keys = [...Array.from({ length: 85_000 }, () => ({})), signer.jwk];
    const protectedApp = createProtectedApp({ jwks: { keys }, logger }, signer);
    expect((await protectedApp.send(signer.sign(claims()))).status).toBe(200);
    const why = 'is not a public key (kty RSA, EC or OKP)';
    const named = [1, 2, 3, 4, 5].map((number) => `key number ${number} ${why}`).join('; ');
    expect(lines).toEqual([`warn key set of ${ISSUER}: 85000 keys are skipped: ${named}; and 84995 more`]);
  });

  test.each(['throws', 'rejects'])('a logger that %s changes nothing', async (how) => {
    const fail = () => {
      if (how === 'rejects') return Promise.reject(new Error('broken'));
      throw new Error('broken');
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    const keys = [{ ...ec, use: 'enc' }, signer.jwk];
    const server = await startKeyServer(keys);
    for (const jwks of [{ keys }, { url: server.url }, () => ({ keys })]) {
      expect((await createProtectedApp({ jwks, logger }, signer).send(signer.sign(claims()))).status).toBe(200);
    }
    await server.goDown();
    const down = createProtectedApp({ jwks: { url: server.url }, logger }, signer);
    expect((await down.send(signer.sign(claims()))).status).toBe(503);
  });

  test("a set without usable keys is not the client's fault: 503, and never 401", async () => {
    const { lines, logger } = createRecordingLogger();
    const protectedApp = createProtectedApp({ jwks: { keys: [{ ...ec, use: 'enc' }] }, logger }, signer);
    expect((await protectedApp.send(signer.sign(claims()))).status).toBe(503);
    expect(lines).toContain(`error key set of ${ISSUER}: it has no usable key`);
  });

  test('key_ops with verify among others is usable', async () => {
    const jwk = { ...signer.jwk, use: undefined, key_ops: ['sign', 'verify'] };
    expect((await createProtectedApp({ jwks: { keys: [jwk] } }, signer).send(signer.sign(claims()))).status).toBe(200);
  });
});

test('a key set may be JSON text, as in agentgateway', async () => {
  const signer = createSigner();
  const protectedApp = createProtectedApp(
    { jwks: JSON.stringify({ keys: [signer.jwk] }), audiences: [RESOURCE] },
    signer,
  );
  expect((await protectedApp.send(signer.sign(claims()))).status).toBe(200);
});

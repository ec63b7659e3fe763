import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, exportJWK, jwtVerify } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { serveFile } from '../support/file-gateway.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { initialize, post } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { type RecordingTarget, startRecordingTarget } from '../support/recording-target.js';

let folder: GatewayFolder;
const keys: Record<string, KeyObject> = {};
beforeAll(async () => {
  folder = await makeGatewayFolder();
  const pairs = {
    rsa: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
    short: generateKeyPairSync('rsa', { modulusLength: 1_024 }),
    p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  };
  for (const [name, { privateKey, publicKey }] of Object.entries(pairs)) {
    keys[name] = publicKey;
    await folder.write(`${name}.pem`, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  }
  return () => folder.remove();
});

const file = (url: string, policies: object, more: object = {}) => ({
  mcp: {
    port: 0,
    targets: [{ name: 'notes', mcp: { host: url, ...more }, policies }],
    policies: { mcpAuthentication: AUTHENTICATION },
  },
});
const sign = (jwtSign: object) => ({ backendAuth: { jwtSign: { signingKey: { file: 'p256.pem' }, ...jwtSign } } });

/** Calls the gateway as often as there are tokens, and returns what came to the target. */
async function arrived(policies: object, more: object = {}, calls = 1): Promise<RecordingTarget> {
  const target = await startRecordingTarget();
  const { origin } = await serveFile(file(target.url, policies, more), { folder: folder.path });
  const headers = { authorization: `Bearer ${folder.token()}` };
  for (let call = 0; call < calls; call++)
    expect((await post(`${origin}/mcp`, initialize(), headers)).status).toBe(200);
  return target;
}

const tokenIn = (target: RecordingTarget, name = 'authorization') =>
  String(target.arrived[0]?.headers[name]).replace(/^Bearer /, '');

async function verified(target: RecordingTarget, key: string) {
  const jwks = createLocalJWKSet({ keys: [await exportJWK(keys[key] as KeyObject)] });
  return jwtVerify(tokenIn(target), jwks);
}

describe('backendAuth.jwtSign', () => {
  test.each([
    ['RS256', 'rsa'],
    ['RS384', 'rsa'],
    ['RS512', 'rsa'],
    ['PS256', 'rsa'],
    ['ES256', 'p256'],
    ['ES384', 'p384'],
  ])('signs with %s', async (alg, key) => {
    const target = await arrived(sign({ alg, signingKey: { file: `${key}.pem` } }));
    expect((await verified(target, key)).protectedHeader).toEqual({ alg, typ: 'JWT' });
  });

  test('signs the claims of the file with RS256 for five minutes, by default', async () => {
    const claims = { iss: 'ACCOUNT.USER', aud: ['a'], level: 3 };
    const before = Math.floor(Date.now() / 1_000);
    const target = await arrived(sign({ signingKey: { file: 'rsa.pem' }, claims }));
    const { payload } = await verified(target, 'rsa');
    const { iat = 0, exp = 0, ...others } = payload;
    expect(others).toEqual(claims);
    expect(exp - iat).toBe(310);
    expect(iat).toBeGreaterThanOrEqual(before - 10);
    expect(iat).toBeLessThanOrEqual(Date.now() / 1_000 - 10);
  });

  test('has the kid and the ttl of the file', async () => {
    const target = await arrived(sign({ alg: 'ES256', kid: 'mine', ttl: '60s' }));
    const { iat = 0, exp = 0 } = decodeJwt(tokenIn(target));
    expect([decodeProtectedHeader(tokenIn(target)).kid, exp - iat]).toEqual(['mine', 70]);
  });

  test('writes the token to another header, without the token of the client', async () => {
    const location = { header: { name: 'X-Token', prefix: 'Token ' } };
    const target = await arrived(sign({ alg: 'ES256', location }));
    expect(target.arrived[0]?.headers['x-token']).toMatch(/^Token ey[\w.-]+$/);
    expect(target.arrived[0]?.headers.authorization).toBeUndefined();
    expect(target.bytes()).not.toContain(folder.token());
  });

  test('signs each request, beside the headers of requestHeaderModifier, and for several targets too', async () => {
    const requestHeaderModifier = { set: { 'x-tenant': 'a' } };
    const target = await arrived({ ...sign({ alg: 'ES256' }), requestHeaderModifier }, {}, 2);
    const [first, second] = target.arrived.map(({ headers }) => headers);
    expect(first?.authorization).not.toBe(second?.authorization);
    expect(first?.['x-tenant']).toBe('a');
    const joined = await startRecordingTarget();
    const { mcp } = file(joined.url, sign({ alg: 'ES256' }));
    const { origin } = await serveFile({ mcp: { ...mcp, prefixMode: 'always' } }, { folder: folder.path });
    await post(`${origin}/mcp`, initialize(), { authorization: `Bearer ${folder.token()}` });
    expect(decodeProtectedHeader(tokenIn(joined)).alg).toBe('ES256');
  });
});

test('backendAuth.key can be in another header', async () => {
  const location = { header: { name: 'x-api-key' } };
  const target = await arrived({ backendAuth: { key: { value: 'sk-1 2', location } } });
  expect(target.arrived[0]?.headers['x-api-key']).toBe('sk-1 2');
  expect(target.arrived[0]?.headers.authorization).toBeUndefined();
});

describe('refused', () => {
  const at = 'mcp.targets[0].policies.backendAuth';
  const elsewhere = (name: string) => ({ header: { name } });
  const rows: ReadonlyArray<readonly [jwtSign: object, message: string]> = [
    [{ alg: 'HS256' }, `${at}.jwtSign.alg must be one of RS256, RS384, RS512, PS256, ES256, ES384, but is "HS256"`],
    [{ claims: { iat: 1 } }, `${at}.jwtSign.claims.iat is a claim that the command sets itself: remove it`],
    [{ ttl: '0s' }, `${at}.jwtSign.ttl must be at least one second`],
    [
      { signingKey: 'key.pem' },
      `${at}.jwtSign.signingKey must be the key itself, and not the name of its file. Write { file: NAME }.`,
    ],
    [
      { location: { queryParameter: { name: 'a' } } },
      `${at}.jwtSign.location.queryParameter is not supported: addresses are written to logs, and cookies belong to browsers. Use header.`,
    ],
    [
      { location: elsewhere('host') },
      `${at}.jwtSign.location.header.name must be the name of a header that is not about the connection`,
    ],
    [{}, `${at}.jwtSign.signingKey: must be a private key in PEM, and for RS256 an RSA key of at least 2048 bits`],
    [
      { signingKey: { file: 'short.pem' } },
      `${at}.jwtSign.signingKey: must be a private key in PEM, and for RS256 an RSA key of at least 2048 bits`,
    ],
    [{ alg: 'ES384' }, `${at}.jwtSign.signingKey: must be a private key in PEM, and for ES384 an EC key on P-384`],
    [
      { alg: 'ES256', signingKey: { file: 'pub-key' } },
      `${at}.jwtSign.signingKey: must be a private key in PEM, and for ES256 an EC key on P-256`,
    ],
  ];
  const create = (policies: object, more: object = {}, url = 'https://notes.example/mcp') => {
    const { logger } = createRecordingLogger();
    return createGateway(parseConfigFile(JSON.stringify(file(url, policies, more)), folder.path), logger);
  };

  test.each(rows)('%j', (jwtSign, message) => {
    expect(() => create(sign(jwtSign))).toThrow(expect.objectContaining({ name: 'StartupError', message }));
  });

  test('key beside it, and the same header in requestHeaderModifier', () => {
    expect(() => create({ backendAuth: { ...sign({}).backendAuth, key: 'a' } })).toThrow(
      `${at} must have one of key, jwtSign and upstreamToken`,
    );
    const requestHeaderModifier = { set: { 'x-a': 'b' } };
    expect(() => create({ ...sign({ alg: 'ES256', location: elsewhere('X-A') }), requestHeaderModifier })).toThrow(
      `${at} and mcp.targets[0].policies.requestHeaderModifier.set.x-a both set x-a: remove one of them`,
    );
  });

  test('callerToken beside it, and plain http to another machine', () => {
    const signed = sign({ alg: 'ES256' });
    expect(() => create(signed, { callerToken: { issuer: 'https://a.example' } })).toThrow('both set Authorization');
    expect(() => create(signed, {}, 'http://notes.example/mcp')).toThrow(`${at} would send a secret to it`);
  });
});

test('a signing key that is not on this machine is a warning of a check', async () => {
  const { lines, logger } = createRecordingLogger();
  const text = JSON.stringify(file('https://notes.example/mcp', sign({ signingKey: { file: 'no' } })));
  const files = new InputFiles();
  files.tolerate(logger.warn);
  await createGateway(parseConfigFile(text, folder.path), logger, files).close();
  expect(lines).toEqual([
    `warn mcp.targets[0].policies.backendAuth.jwtSign.signingKey: ${folder.path}/no: the file does not exist`,
  ]);
});

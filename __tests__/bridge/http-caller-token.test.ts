import { generateKeyPairSync } from 'node:crypto';
import express from 'express';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { type McpHttpBackendOptions, mcpHttpBackend } from '../../src/index.js';
import { serveRemote } from '../support/http-backend.js';
import { serve } from '../support/loopback-server.js';
import { call, post } from '../support/mcp-requests.js';
import { type RecordingTarget, startRecordingTarget } from '../support/recording-target.js';

const issuer = 'https://gateway.example/callers';
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;

const tokensAt = (target: RecordingTarget) =>
  target.arrived.map(({ headers }) => headers.authorization?.replace(/^Bearer /, ''));

async function keysOf(backend: { readonly callerKeys: express.RequestHandler }): Promise<Response> {
  const origin = await serve(express().use('/.well-known/callers', backend.callerKeys) as never);
  return fetch(`${origin}/.well-known/callers`);
}

const KEYS: [string, NonNullable<McpHttpBackendOptions['callerToken']>['key'], string][] = [
  ['a key on P-256, as PEM', ec.export({ type: 'pkcs8', format: 'pem' }) as string, 'ES256'],
  ['a key on P-256, as JWK', ec.export({ format: 'jwk' }), 'ES256'],
  ['an Ed25519 key', ed25519, 'EdDSA'],
  ['a key made at start', undefined, 'ES256'],
];

describe.each(KEYS)('with %s', (_name, key, alg) => {
  test('the target learns who is calling from a token that its keys verify', async () => {
    const target = await startRecordingTarget();
    const callerToken = { issuer, key, claims: ['email', 'groups', 'absent', 'toString'] };
    const remote = await serveRemote(`${target.url}?key=secret`, { callerToken });
    const claims = { email: 'ada@example.com', groups: ['a'], scope: 'read write' };
    await post(remote.url, call(1, 'x'), remote.bearer('ada', { claims }));
    const answer = await keysOf(remote.backend as never);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    const keys = (await answer.json()) as JSONWebKeySet;
    expect(Object.keys(keys.keys[0] ?? {})).not.toContain('d');
    const [token = ''] = tokensAt(target);
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), {
      issuer,
      audience: target.url,
      algorithms: [alg],
      maxTokenAge: 60,
    });
    expect(protectedHeader).toEqual({ alg, typ: 'JWT', kid: keys.keys[0]?.kid });
    const { iat = 0, exp = 0, jti, ...who } = payload;
    expect(exp - iat).toBe(60);
    expect(jti).toMatch(/^[\da-f-]{36}$/);
    expect(who).toEqual({
      iss: issuer,
      aud: target.url,
      sub: 'ada',
      sub_id: { format: 'iss_sub', iss: remote.issuer.issuer, sub: 'ada' },
      client_id: 'test-client',
      scope: 'read write',
      email: 'ada@example.com',
      groups: ['a'],
    });
  });
});

describe('a caller token', () => {
  const callerToken = { issuer, key: ec };

  test('is made once for a token of the caller, and never shared', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, { callerToken });
    const [ada, bob] = [remote.bearer('ada'), remote.bearer('bob')];
    for (const caller of [ada, ada, bob, ada, bob]) await post(remote.url, call(1, 'x'), caller);
    const subjects = tokensAt(target).map((token = '') => decodeJwt(token).sub);
    expect(subjects).toEqual(['ada', 'ada', 'bob', 'ada', 'bob']);
    expect(new Set(tokensAt(target)).size).toBe(2);
  });

  test('does not outlive that of the caller', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, { callerToken });
    await post(remote.url, call(1, 'x'), remote.bearer('ada', { expiresInSeconds: 20 }));
    const { exp = 0, iat = 0 } = decodeJwt(tokensAt(target)[0] ?? '');
    expect(exp - iat).toBeLessThanOrEqual(20);
  });

  test('of a caller whose token expires, or has just expired, is good for ten seconds', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, { callerToken }, { policy: { clockToleranceSeconds: 60 } });
    for (const expiresInSeconds of [3, -20]) {
      await post(remote.url, call(1, 'x'), remote.bearer('ada', { expiresInSeconds }));
    }
    const claims = tokensAt(target).map((token = '') => decodeJwt(token));
    expect(claims.map(({ exp = 0, iat = 0 }) => exp - iat)).toEqual([10, 10]);
  });

  test('of a program without a user has no subject: it never equals that of a user with the name of a client', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, { callerToken });
    for (const sub of [undefined, '', 'a-program']) {
      await post(remote.url, call(1, 'x'), remote.bearer('x', { claims: { sub, client_id: 'a-program' } }));
    }
    const claims = tokensAt(target).map((token = '') => decodeJwt(token));
    expect(claims.map(({ sub, sub_id, client_id }) => ({ sub, sub_id, client_id }))).toEqual([
      { client_id: 'a-program' },
      { client_id: 'a-program' },
      {
        sub: 'a-program',
        sub_id: { format: 'iss_sub', iss: remote.issuer.issuer, sub: 'a-program' },
        client_id: 'a-program',
      },
    ]);
  });

  test('an anonymous caller has none, and cannot send one', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, { callerToken }, { policy: null });
    await post(remote.url, call(1, 'x'), { authorization: 'Bearer forged' });
    expect(target.arrived[0]?.headers).not.toHaveProperty('authorization');
  });

  test('names its key as RFC 7638 says', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, { callerToken });
    await post(remote.url, call(1, 'x'), remote.bearer('ada'));
    const again = await serveRemote(target.url, { callerToken });
    await post(again.url, call(1, 'x'), again.bearer('ada'));
    const kids = tokensAt(target).map((token = '') => decodeProtectedHeader(token).kid);
    expect(kids[0]).toMatch(/^[\w-]{43}$/);
    expect(new Set(kids).size).toBe(1);
  });
});

test('callerKeys lets requests pass where there is no callerToken', async () => {
  const backend = mcpHttpBackend({ url: 'https://remote.example/mcp' });
  expect((await keysOf(backend as never)).status).toBe(404);
  await backend.close();
});

test.each([
  ['the MCP endpoint', 'https://remote.example/mcp'],
  ['the origin of the resource', 'https://remote.example'],
])('an issuer that is %s warns: it may be that of the OAuth proxy', async (_name, issuerOfProxy) => {
  const target = await startRecordingTarget();
  const remote = await serveRemote(target.url, { callerToken: { issuer: issuerOfProxy, key: ec } });
  for (let i = 0; i < 2; i++) await post(remote.url, call(i, 'x'), remote.bearer('ada'));
  const lines = remote.lines.filter((line) => line.startsWith('warn mcpHttpBackend()'));
  expect(lines).toEqual([
    `warn mcpHttpBackend(): callerToken.issuer is "${issuerOfProxy}", where MCP servers may find the metadata of the OAuth proxy, and accept other tokens: choose another URL of this server, such as "https://remote.example/callers"`,
  ]);
});

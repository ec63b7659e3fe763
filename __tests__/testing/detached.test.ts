import express from 'express';
import request from 'supertest';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mcpAuth, type SingleIssuerPolicy } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';

const resource = 'https://mcp.example/mcp';

function appWith(policy: SingleIssuerPolicy) {
  const app = express().use(mcpAuth(policy), (req, res) => void res.json((req as { auth?: unknown }).auth));
  return (token: string) => request(app).get('/mcp').auth(token, { type: 'bearer' });
}

describe('functions that are taken off a test issuer', () => {
  test('make the policy and the tokens of this issuer', async () => {
    const { policy, token, tokenFor, expiredToken, forgedToken, apiKey, apiKeys, rotateKeys } = createTestIssuer();
    const get = appWith(policy({ resource, apiKeys }));
    rotateKeys();
    for (const [make, status] of [
      [token, 200],
      [() => tokenFor(resource), 200],
      [apiKey, 200],
      [expiredToken, 401],
      [forgedToken, 401],
    ] as const)
      expect((await get(make())).status).toBe(status);
    const [alice = ''] = [{ sub: 'alice' }].map(token);
    expect((await get(alice)).body.payload.sub).toBe('alice');
  });

  test('also work in a copy of it', async () => {
    const issuer = createTestIssuer({ issuer: 'https://issuer.test/{tenantid}/v2.0' });
    const copy = { ...issuer };
    expect(copy.issuer).toBe(issuer.issuer);
    const get = appWith(copy.policy({ resource, tenants: ['acme'] }));
    expect((await get(copy.tenant('acme').token())).status).toBe(200);
  });

  test('listen and close too, and the counts go on', async () => {
    const { listen, close, policy, token, opaqueToken, requests } = createTestIssuer();
    await listen();
    onTestFinished(close);
    expect((await appWith(policy({ resource }))(token())).status).toBe(200);
    expect(opaqueToken()).toMatch(/./);
    expect(requests).toEqual({ jwks: 1, metadata: 0, introspection: 0 });
  });
});

describe('calls at once', () => {
  const isServed = async (address: string) => {
    const answer = await fetch(`${address}/.well-known/jwks.json`).catch(() => undefined);
    return answer?.status === 200;
  };

  test('of listen() start one server, which close() ends', async () => {
    const issuer = createTestIssuer();
    onTestFinished(() => issuer.close());
    const [first, second] = await Promise.all([issuer.listen(), issuer.listen()]);
    expect([second, issuer.issuer]).toEqual([first, first]);
    expect(await isServed(first)).toBe(true);
    await Promise.all([issuer.close(), issuer.close()]);
    expect(await isServed(first)).toBe(false);
    expect(await Promise.all([issuer.listen(), issuer.listen()])).toEqual([first, first]);
    expect(await isServed(first)).toBe(true);
  });

  test('of listen() and close() take effect in the order of the calls', async () => {
    const issuer = createTestIssuer();
    onTestFinished(() => issuer.close());
    const [address] = await Promise.all([issuer.listen(), issuer.close()]);
    expect(await isServed(address)).toBe(false);
    await Promise.all([issuer.close(), issuer.listen()]);
    expect(await isServed(address)).toBe(true);
  });

  test('a listen() that is refused does not refuse the next call', async () => {
    const issuer = createTestIssuer();
    issuer.policy({ resource });
    await expect(issuer.listen()).rejects.toThrow('call listen() before policy()');
    await expect(issuer.close()).resolves.toBeUndefined();
  });
});

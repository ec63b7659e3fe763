import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { mcpAuth, mcpScopes } from '../../src/index.js';
import { ALGS, bound, DPOP, plain, proof, signer } from '../support/dpop-proofs.js';
import { createProtectedApp, ISSUER, METADATA_URL, RESOURCE } from '../support/protected-app.js';

const policy = { issuer: ISSUER, jwks: { keys: [signer.jwk] }, resourceMetadata: { resource: RESOURCE } };

describe('DPoP', () => {
  test.each<[dpop: keyof typeof DPOP, authorization: string | undefined, challenge: string]>([
    ['accept', undefined, `Bearer resource_metadata="${METADATA_URL}", DPoP algs="${ALGS}"`],
    [
      'accept',
      `Bearer ${bound}`,
      `Bearer error="invalid_token", resource_metadata="${METADATA_URL}", error_description="The token is bound to a key or certificate, and must not be presented as a bearer token", DPoP algs="${ALGS}"`,
    ],
    [
      'accept',
      `DPoP ${bound}`,
      `Bearer resource_metadata="${METADATA_URL}", DPoP error="invalid_dpop_proof", error_description="The DPoP header is missing", algs="${ALGS}"`,
    ],
    [
      'accept',
      'DPoP a b',
      `Bearer resource_metadata="${METADATA_URL}", DPoP error="invalid_request", error_description="The Authorization header must be a scheme, a space and one token", algs="${ALGS}"`,
    ],
    ['require', undefined, `DPoP resource_metadata="${METADATA_URL}", algs="${ALGS}"`],
  ])('the challenge in %s', async (dpop, authorization, challenge) => {
    const response = await createProtectedApp({ senderConstraint: DPOP[dpop] }, signer).get(authorization);
    expect(response.headers['www-authenticate']).toBe(challenge);
  });

  test('missing scopes are in the challenge of the scheme that was used', async () => {
    const { app } = createProtectedApp({ senderConstraint: { dpop: {} }, requiredScopes: ['admin'] }, signer);
    const response = await request(app)
      .get('/mcp')
      .set({ authorization: `DPoP ${bound}`, dpop: proof() });
    expect(response.status).toBe(403);
    expect(response.headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${METADATA_URL}", scope="admin", DPoP error="insufficient_scope", error_description="The token lacks a required scope", algs="${ALGS}"`,
    );
  });

  test('so are scopes that mcpScopes() misses, in any order of requests', async () => {
    const app = express().use(
      mcpAuth({ ...policy, senderConstraint: { dpop: {} } }),
      mcpScopes({ 'tools/list': ['admin'] }),
    );
    const list = async (headers: Record<string, string>) => {
      const call = request(app).post('/mcp').set(headers);
      return (await call.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).headers['www-authenticate'];
    };
    const guidance = `resource_metadata="${METADATA_URL}", scope="admin"`;
    const error = 'error="insufficient_scope"';
    const description = 'error_description="The token lacks a required scope"';
    const asDpop = `Bearer ${guidance}, DPoP ${error}, ${description}, algs="${ALGS}"`;
    const asBearer = `Bearer ${error}, ${guidance}, ${description}, DPoP algs="${ALGS}"`;
    for (const _ of ['verified', 'known']) {
      // The request of a thief changes nothing for the owner of the token.
      await list({ authorization: `Bearer ${bound}` });
      expect(await list({ authorization: `DPoP ${bound}`, dpop: proof({ htm: 'POST' }) })).toBe(asDpop);
      expect(await list({ authorization: `Bearer ${plain}` })).toBe(asBearer);
    }
  });

  test('a client that tries DPoP with a plain token, and then does it right, is accepted', async () => {
    const app = express().use(
      mcpAuth({ ...policy, senderConstraint: { dpop: {} } }),
      mcpScopes({ 'tools/call': ['admin'] }),
    );
    app.use((_req, res) => void res.end());
    const list = async (authorization: string) => {
      const call = request(app)
        .post('/mcp')
        .set({ authorization, dpop: proof({ htm: 'POST' }) });
      return (await call.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).status;
    };
    expect([await list(`DPoP ${plain}`), await list(`Bearer ${plain}`)]).toEqual([401, 200]);
  });

  test('the metadata announces DPoP', async () => {
    const path = new URL(METADATA_URL).pathname;
    const accept = await createProtectedApp({ senderConstraint: { dpop: {} } }, signer).get(undefined, path);
    expect(accept.body.dpop_signing_alg_values_supported).toEqual(ALGS.split(' '));
    expect(accept.body.dpop_bound_access_tokens_required).toBeUndefined();
    const require = await createProtectedApp({ senderConstraint: { dpop: { required: true } } }, signer).get(
      undefined,
      path,
    );
    expect(require.body.dpop_bound_access_tokens_required).toBe(true);
  });
});

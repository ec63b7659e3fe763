import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { ALGS, bound, proof, signer } from '../support/dpop.js';
import { createGate, METADATA_URL } from '../support/gate.js';

describe('DPoP', () => {
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
    [
      'accept',
      'DPoP a b',
      `Bearer resource_metadata="${METADATA_URL}", DPoP error="invalid_request", error_description="The Authorization header must name a scheme, and one token after a space", algs="${ALGS}"`,
    ],
    ['require', undefined, `DPoP resource_metadata="${METADATA_URL}", algs="${ALGS}"`],
  ])('the challenge in %s', async (dpop, authorization, challenge) => {
    const response = await createGate({ dpop }, signer).get(authorization);
    expect(response.headers['www-authenticate']).toBe(challenge);
  });

  test('missing scopes stand in the challenge of the scheme that was used', async () => {
    const { app } = createGate({ dpop: 'accept', requiredScopes: ['admin'] }, signer);
    const response = await request(app)
      .get('/mcp')
      .set({ authorization: `DPoP ${bound}`, dpop: proof() });
    expect(response.status).toBe(403);
    expect(response.headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${METADATA_URL}", scope="admin", DPoP error="insufficient_scope", error_description="The token lacks a required scope", algs="${ALGS}"`,
    );
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

import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { type McpAuthOptions, protectedResourceMetadata } from '../../src/index.js';
import { ISSUER, METADATA_URL } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const jwks = { keys: [createSigner().jwk] };

function serveMetadata(resourceMetadata: Record<string, unknown>, policy: Record<string, unknown> = {}) {
  const options = { issuer: ISSUER, jwks, resourceMetadata, ...policy } as McpAuthOptions;
  return express().use(protectedResourceMetadata(options));
}

describe('the document', () => {
  test.each<[name: string, given: Record<string, unknown>, body: Record<string, unknown>]>([
    ['only the required members', {}, {}],
    ['empty lists left out', { scopesSupported: [], bearerMethodsSupported: [] }, {}],
    ['scopes', { scopesSupported: ['a', 'b'] }, { scopes_supported: ['a', 'b'] }],
    [
      'any further member, in snake_case',
      { resourceName: 'Mine', resourcePolicyUri: 'https://x.example/p', tlsClientCertificateBoundAccessTokens: false },
      {
        resource_name: 'Mine',
        resource_policy_uri: 'https://x.example/p',
        tls_client_certificate_bound_access_tokens: false,
      },
    ],
    ['members given as undefined left out', { resourceName: undefined }, {}],
    [
      'our own members replaced',
      { mcpProtocolVersion: '2025-11-25', authorizationServers: ['https://as.example'] },
      { mcp_protocol_version: '2025-11-25', authorization_servers: ['https://as.example'] },
    ],
  ])('%s', async (_name, given, body) => {
    const response = await request(serveMetadata({ resource: 'https://mcp.example/mcp', ...given })).get(
      `${WELL_KNOWN}/mcp`,
    );
    expect(response.body).toEqual({
      resource: 'https://mcp.example/mcp',
      authorization_servers: [ISSUER],
      mcp_protocol_version: '2025-06-18',
      resource_type: 'mcp-server',
      ...body,
    });
  });

  test('the issuer is emitted byte for byte, URL or not', async () => {
    for (const issuer of ['agentgateway.dev', 'https://tenant.auth0.com/', 'https://X.example']) {
      const { body } = await request(serveMetadata({ resource: 'https://mcp.example' }, { issuer })).get(WELL_KNOWN);
      expect(body.authorization_servers).toEqual([issuer]);
    }
  });

  test.each([
    ['https://mcp.example', WELL_KNOWN],
    ['https://mcp.example/', WELL_KNOWN],
    ['https://mcp.example/mcp', `${WELL_KNOWN}/mcp`],
    ['https://mcp.example/mcp/', `${WELL_KNOWN}/mcp/`],
    ['https://mcp.example/mcp/', `${WELL_KNOWN}/mcp`],
    ['https://mcp.example/a/b', `${WELL_KNOWN}/a/b`],
    ['https://alone.example/a/b', WELL_KNOWN],
    ['HTTPS://MCP.example:443/mcp', `${WELL_KNOWN}/mcp`],
  ])('of %s is at %s, with the resource as configured', async (resource, path) => {
    const response = await request(serveMetadata({ resource })).get(path);
    expect(response.status).toBe(200);
    expect(response.body.resource).toBe(resource);
  });
});

describe('the methods', () => {
  const app = serveMetadata({ resource: 'https://mcp.example/mcp' });
  const path = new URL(METADATA_URL).pathname;

  test('GET, for every origin', async () => {
    const response = await request(app).get(path).set('origin', 'https://elsewhere.example');
    expect(response.status).toBe(200);
    expect(response.headers['access-control-allow-origin']).toBe('*');
    expect(response.headers['content-type']).toBe('application/json');
  });

  test('HEAD, like GET without the body', async () => {
    const [head, get] = [await request(app).head(path), await request(app).get(path)];
    expect(head.status).toBe(200);
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
    expect(head.text).toBeUndefined();
  });

  test('OPTIONS, as the preflight of a browser', async () => {
    const response = await request(app).options(path).set({
      origin: 'https://elsewhere.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'mcp-protocol-version',
    });
    expect(response.status).toBe(204);
    expect(response.headers['access-control-allow-origin']).toBe('*');
    expect(response.headers['access-control-allow-methods']).toBe('GET,HEAD,OPTIONS');
    expect(response.headers['access-control-allow-headers']).toBe('mcp-protocol-version');
  });

  test.each(['post', 'put', 'patch', 'delete'] as const)('%s is 405 with Allow', async (verb) => {
    const response = await request(app)[verb](path);
    expect(response.status).toBe(405);
    expect(response.headers.allow).toBe('GET, HEAD, OPTIONS');
  });

  test('any other path goes on', async () => {
    expect((await request(app).get('/mcp')).status).toBe(404);
  });
});

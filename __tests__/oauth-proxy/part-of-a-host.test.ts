import { readFileSync } from 'node:fs';
import express from 'express';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { policyOf } from '../../src/policy/resolved-policy.js';
import { blockToRun } from '../support/code-blocks.js';
import { serve } from '../support/loopback-server.js';
import { postJson, REDIRECT_URI, rawClient } from '../support/oauth-proxy-client.js';
import { SECRET } from '../support/oauth-proxy-flow.js';
import { ROOT } from '../support/program.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { startProviderServer } from '../support/provider-server.js';

type Metadata = Readonly<Record<string, string>>;

const WELL_KNOWN = '/.well-known/oauth-authorization-server';

/** A policy for `path` of an origin, with the resource metadata at `url`, and the path where its reverse proxy arrives. */
async function startPart(path: string, url: string | undefined, mount: 'auth' | 'metadata' = 'auth') {
  const upstream = await startProviderServer(PROVIDER_BEHAVIOURS.auth0.kind);
  let app: express.Express | undefined;
  const origin = await serve((req, res) => app?.(req, res));
  const resource = `${origin}${path}`;
  const policy = {
    issuer: upstream.issuer,
    provider: 'auth0',
    audiences: ['https://api.example'],
    oauthProxy: { secret: SECRET },
    resourceMetadata: { resource, url: url?.replace('{origin}', origin), scopesSupported: ['mcp.read'] },
  } as McpAuthOptions;
  app = express().use(path, mount === 'auth' ? mcpAuth(policy) : protectedResourceMetadata(policy));
  app.use((_req, res) => void res.status(404).send('the page of another server'));
  return { origin, resource };
}

describe('the endpoints are below the path of the resource if resourceMetadata.url says that this server has only that', () => {
  test.each([
    ['/mcp', '{origin}/mcp/.well-known/oauth-protected-resource', true],
    ['/mcp', '{origin}/mcp/metadata.json', true],
    ['/tools/mcp', '{origin}/tools/.well-known/oauth-protected-resource/mcp', true],
    ['/tools/mcp', '{origin}/tools/mcp/.well-known/oauth-protected-resource', true],
    ['/mcp/', '{origin}/mcp/.well-known/oauth-protected-resource', true],
    ['/mcp', undefined, false],
    ['/mcp', '{origin}/.well-known/oauth-protected-resource/mcp', false],
    ['/mcp', '{origin}/.well-known/oauth-protected-resource', false],
    ['/mcp', '{origin}/other/.well-known/oauth-protected-resource/mcp', false],
    ['/mcp', '{origin}/mc/.well-known/oauth-protected-resource', false],
    ['/mcp', '{origin}/mcp-docs/metadata.json', false],
    ['/mcp', 'https://docs.example/mcp/.well-known/oauth-protected-resource', false],
    ['/', '{origin}/docs/.well-known/oauth-protected-resource', false],
    ['/', '{origin}/.well-known/oauth-protected-resource', false],
  ])('%s with %s: %s', async (path, url, isBelow) => {
    const { origin, resource } = await startPart(path, url);
    const at = path.replace(/\/$/, '');
    const response = await fetch(`${origin}${at}/.well-known/openid-configuration`);
    const { issuer, ...metadata } = (await response.json()) as Metadata;
    expect(issuer).toBe(resource);
    const base = isBelow ? `${origin}${at}${WELL_KNOWN}` : `${origin}${WELL_KNOWN}${at}`;
    expect(metadata).toMatchObject({
      authorization_endpoint: `${base}/authorize`,
      token_endpoint: `${base}/token`,
      registration_endpoint: `${base}/client-registration`,
    });
  });
});

test('docs/providers.md: the block, and the callback to allow', async () => {
  const { resourceMetadata } = parse(blockToRun('docs/providers.md', 'part'));
  const policy = {
    issuer: 'https://as.example',
    provider: 'standard',
    oauthProxy: { secret: SECRET },
    resourceMetadata,
  };
  const { oauthProxy } = policyOf('mcpAuth()', policy as McpAuthOptions);
  const callback = new URL(oauthProxy?.paths.callback[0] ?? '', resourceMetadata.resource).href;
  expect(callback).toBe('https://gateway.example/mcp/.well-known/oauth-authorization-server/callback');
  expect(readFileSync(`${ROOT}docs/providers.md`, 'utf8')).toContain(`the redirect URI \`${callback}\``);
});

test.each(['auth', 'metadata'] as const)(
  'mounted on the path alone (%s), it registers and asks the user',
  async (mount) => {
    const { origin } = await startPart('/mcp', '{origin}/mcp/.well-known/oauth-protected-resource', mount);
    for (const path of ['', '/mcp', '/mcp/client-registration']) {
      const method = path.endsWith('registration') ? 'POST' : 'GET';
      expect(await (await fetch(`${origin}${WELL_KNOWN}${path}`, { method })).text()).toBe(
        'the page of another server',
      );
    }
    const base = `${origin}/mcp${WELL_KNOWN}`;
    expect(await (await fetch(base)).json()).toMatchObject({ issuer: `${origin}/mcp` });
    const redirect_uris = [REDIRECT_URI, 'https://client.example/callback'];
    const { status, body } = await postJson(`${base}/client-registration`, { redirect_uris });
    expect(status).toBe(201);
    const client = rawClient(base, body.client_id as string);
    const page = await client.authorize({ redirect_uri: redirect_uris[1] });
    expect(page.html).toContain(`action="${base}/consent"`);
  },
);

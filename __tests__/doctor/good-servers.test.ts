import express, { type Express } from 'express';
import { expect, test } from 'vitest';
import { diagnose } from '../../src/doctor/doctor.js';
import { createProbe } from '../../src/doctor/probe.js';
import { type McpAuthOptions, mcpAuth, mcpCors, protectedResourceMetadata } from '../../src/index.js';
import { startFaultyServer } from '../support/faulty-server.js';
import { serve } from '../support/loopback-server.js';
import { startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { startOidcServer } from '../support/oidc-server.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';

async function startBefore(policyFor: (resource: string) => Promise<object>): Promise<string> {
  let app: Express | undefined;
  const origin = await serve((req, res) => app?.(req, res));
  const resource = `${origin}/mcp`;
  const policy = { resourceMetadata: { resource, scopesSupported: ['mcp.read'] }, ...(await policyFor(resource)) };
  const options = policy as unknown as McpAuthOptions;
  app = express().use(mcpCors(), mcpAuth(options), protectedResourceMetadata(options));
  return resource;
}

async function walk(url: string) {
  const lines: string[] = [];
  for await (const { status, step, seen } of diagnose({ url }, createProbe(url)))
    if (status !== 'ok') lines.push(`${step}: ${seen}`);
  return lines;
}

test('mcpAuth(), with an authorization server that does everything right', async () => {
  const { url } = await startFaultyServer();
  expect(await walk(url)).toEqual([]);
});

test('mcpAuth() with oidc-provider', async () => {
  const url = await startBefore(async (resource) => {
    const issuer = await startOidcServer(() => resource);
    return { issuer, jwks: { url: `${issuer}/jwks` } };
  });
  expect(await walk(url)).toEqual([]);
});

test.each(Object.keys(PROVIDER_BEHAVIOURS) as BehaviourName[])('the OAuth proxy of %s', async (kind) => {
  const { guarded } = await startOAuthProxyFlow(kind);
  expect(await walk(guarded.resource)).toEqual([]);
});

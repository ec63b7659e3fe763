import type { RequestListener } from 'node:http';
import express from 'express';
import { expect, test } from 'vitest';
import { type McpAuthOptions, protectedResourceMetadata } from '../../src/index.js';
import { serve } from '../support/loopback-server.js';
import { postJson, REDIRECT_URI, rawClient, redirectOf } from '../support/oauth-proxy-client.js';
import { SECRET } from '../support/oauth-proxy-flow.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { startProviderServer } from '../support/provider-server.js';
import { type Page, UserAgent } from '../support/user-agent.js';

const OLD = 'the secret of last year, retired soon';

/** One origin that sends requests to its replicas in turn. */
async function startReplicas(...secrets: (string | string[] | undefined)[]) {
  const { kind, policy, client } = PROVIDER_BEHAVIOURS.entra;
  const upstream = await startProviderServer(kind);
  let replicas: RequestListener[] = [];
  let asked = 0;
  const origin = await serve((req, res) => replicas[asked++ % replicas.length]?.(req, res));
  const base = `${origin}/.well-known/oauth-authorization-server/mcp`;
  upstream.register({ ...client, redirectUri: `${base}/callback` });
  const createReplica = (secret: string | string[] | undefined, changes: object = {}) =>
    express().use(
      protectedResourceMetadata({
        issuer: upstream.issuer,
        clientId: client.id,
        clientSecret: client.secret,
        oauthProxy: secret === undefined ? {} : { secret },
        resourceMetadata: { resource: `${origin}/mcp` },
        ...policy,
        ...changes,
      } as McpAuthOptions),
    );
  replicas = secrets.map((secret) => createReplica(secret));
  const become = (...others: typeof secrets) => {
    replicas = others.map((secret) => createReplica(secret));
  };
  const becomeWith = (changes: object) => {
    replicas = [createReplica(SECRET, changes)];
  };
  return { base, become, becomeWith };
}

const scope = 'mcp.read offline_access';

async function register(base: string) {
  const { body } = await postJson(`${base}/client-registration`, { redirect_uris: [REDIRECT_URI] });
  return rawClient(base, body.client_id as string);
}

test('replicas with one secret act as one server: registration, consent, login and tokens work at any of them', async () => {
  const { base } = await startReplicas(SECRET, SECRET, SECRET);
  const client = await register(base);
  const code = (await client.logIn({ scope })).get('code') ?? '';
  const { body } = await client.token({ code });
  const refreshed = await client.token({ grant_type: 'refresh_token', refresh_token: body.refresh_token as string });
  expect(refreshed.status).toBe(200);
});

test('neither a restart nor a rotation of the secret invalidates anything', async () => {
  const { base, become } = await startReplicas(OLD);
  const client = await register(base);
  const { body } = await client.token({ code: (await client.logIn({ scope })).get('code') ?? '' });
  become([SECRET, OLD]);
  const token = body.refresh_token as string;
  const refreshed = await client.token({ grant_type: 'refresh_token', refresh_token: token });
  expect(refreshed.status).toBe(200);
  become(SECRET);
  const again = { grant_type: 'refresh_token', refresh_token: refreshed.body.refresh_token as string };
  expect(await client.token(again), 'the client itself is of the old secret').toMatchObject({
    status: 401,
    body: { error: 'invalid_client' },
  });
});

test('a consent counts only for the scopes that the page named: another replica with more default scopes asks again', async () => {
  const { base, becomeWith } = await startReplicas(SECRET);
  becomeWith({ requiredScopes: ['mcp.read'] });
  const client = await register(base);
  const agent = new UserAgent();
  const allow = async (page: Page) => {
    const request = /name="request" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    const body = new URLSearchParams({ request, decision: 'allow' });
    return agent.load(new URL(`${base}/consent`), { method: 'POST', body });
  };
  const first = await client.authorize({}, agent);
  becomeWith({ requiredScopes: ['mcp.read', 'mcp.write'] });
  const second = await allow(first);
  expect([first, second].map(({ html }) => [...html.matchAll(/<li>([^<]*)/g)].map(([, scope]) => scope))).toEqual([
    ['mcp.read'],
    ['mcp.read', 'mcp.write'],
  ]);
  expect((await client.authorize({}, agent)).response.status, 'nothing is remembered').toBe(200);
  const { parameters } = redirectOf(await allow(second));
  expect(parameters.scope).toContain('mcp.write');
  expect((await client.authorize({}, agent)).response.status, 'and once only').toBe(303);
});

test('with a random secret, clients must register again after a restart', async () => {
  const { base, become } = await startReplicas(undefined);
  const client = await register(base);
  become(undefined);
  expect((await client.authorize({ scope })).response.status).toBe(400);
  expect(await client.token({ code: 'c' })).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
});

test('after a change of the issuer or the shared client, old ids and tokens are refused', async () => {
  const { base, becomeWith } = await startReplicas(SECRET);
  const client = await register(base);
  const { body } = await client.token({ code: (await client.logIn({ scope })).get('code') ?? '' });
  const other = await startProviderServer(PROVIDER_BEHAVIOURS.entra.kind);
  for (const changes of [{ issuer: other.issuer }, { clientId: 'another-app' }]) {
    becomeWith(changes);
    expect((await client.authorize({ scope })).response.status).toBe(400);
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token as string };
    expect(await client.token(refresh)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(await (await register(base)).token(refresh)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  }
  expect(other.requests).toEqual([]);
});

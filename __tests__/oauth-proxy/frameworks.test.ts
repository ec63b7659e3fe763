import type { RequestListener } from 'node:http';
import connect from 'connect';
import express5 from 'express';
import express4 from 'express4';
import { describe, expect, test } from 'vitest';
import { type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { serve } from '../support/loopback-server.js';
import { postForm, postJson, REDIRECT_URI, rawClient } from '../support/oauth-proxy-client.js';
import { SECRET } from '../support/oauth-proxy-flow.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { startProviderServer } from '../support/provider-server.js';
import { returnNothing } from '../support/return-nothing.js';

const parsers = [express5.json(), express5.urlencoded({ extended: true })];

/** Each framework, without and with body parsers before the OAuth proxy. */
const apps: [string, (middlewares: unknown[]) => RequestListener][] = [
  ['Express 5', (middlewares) => express5().use(...(middlewares as []))],
  ['Express 4', (middlewares) => express4().use(...(middlewares as [])) as never],
  ['Connect', (middlewares) => middlewares.reduce<connect.Server>((app, next) => app.use(next as never), connect())],
  ['Express 5 and methods that return nothing', (all) => express5().use(returnNothing, ...(all as []))],
  ['Express 5 and parsers', (middlewares) => express5().use(...parsers, ...(middlewares as []))],
  ['Express 4 and parsers', (middlewares) => express4().use(...(parsers as []), ...(middlewares as [])) as never],
];

describe.each(apps)('%s', (_name, createApp) => {
  test('registers, logs in, and exchanges a code for tokens', async () => {
    const { kind, policy, client } = PROVIDER_BEHAVIOURS.authentik;
    const upstream = await startProviderServer(kind);
    let app: RequestListener = (_req, res) => res.end();
    const origin = await serve((req, res) => app(req, res));
    const base = `${origin}/.well-known/oauth-authorization-server/mcp`;
    upstream.register({ ...client, redirectUri: `${base}/callback` });
    const options = {
      issuer: upstream.issuer,
      clientId: client.id,
      oauthProxy: { secret: SECRET },
      resourceMetadata: { resource: `${origin}/mcp` },
      ...policy,
    } as McpAuthOptions;
    app = createApp([mcpAuth(options), protectedResourceMetadata(options)]);

    const { body } = await postJson(`${base}/client-registration`, { redirect_uris: [REDIRECT_URI] });
    const raw = rawClient(base, body.client_id as string);
    const code = (await raw.logIn()).get('code') ?? '';
    expect(await raw.token({ code })).toMatchObject({ status: 200, body: { access_token: expect.any(String) } });
    const twice = 'grant_type=refresh_token&grant_type=authorization_code';
    const response = await fetch(`${base}/token`, { method: 'POST', body: new URLSearchParams(twice) });
    expect(response.status).toBe(400);
    const json = { grant_type: 'authorization_code', client_id: raw.id };
    expect(await postJson(`${base}/token`, json)).toMatchObject({ status: 415, body: { error: 'invalid_request' } });
    expect(await postForm(`${base}/token`, {})).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });
});

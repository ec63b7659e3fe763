import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { mcpAuth, mcpBackend, mcpScopes, protectedResourceMetadata } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { answer, serveFile } from '../support/file-gateway.js';
import { serveRemote } from '../support/http-backend.js';
import { serve } from '../support/loopback-server.js';
import { call, initialize, JSON_HEADERS, post } from '../support/mcp-requests.js';
import { registerClient } from '../support/oauth-proxy-client.js';
import { startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { ANY, openServers } from '../support/operator-servers.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { NODE, SCRIPTED, serveBackend, serve as serveStdio } from '../support/stdio-bridge.js';

const EVENTS = { accept: 'text/event-stream' };
const issuer = createTestIssuer();
const policy = issuer.policy({ resource: 'https://mcp.example/mcp' });

/** Behind `mcpAuth()`, with a tool that only callers with a scope may call. */
async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const app = express().use(protectedResourceMetadata(policy), mcpAuth(policy), mcpScopes({ 'tools/call': ['write'] }));
  app.all('/mcp', (_req, res) => void res.type('html').send('the page of the app'));
  return fetch((await serve(app)) + path, init);
}
const message = (token: string): RequestInit => ({
  method: 'POST',
  headers: { ...JSON_HEADERS, authorization: `Bearer ${token}` },
  body: JSON.stringify(call(1, 'delete')),
});

/** A program behind `mcpStdioBackend()`. */
async function startStdio(): Promise<string> {
  const served = await serveStdio();
  onTestFinished(() => served.stop());
  return served.url;
}

async function startSeveral(): Promise<string> {
  const target = { command: NODE, args: [SCRIPTED] };
  const served = await serveBackend(mcpBackend({ targets: { one: target, two: target } }));
  onTestFinished(() => served.stop());
  return served.url;
}

async function startRemote(): Promise<string> {
  return (await serveRemote((await startRecordingTarget()).url, {}, { policy: null })).url;
}

const operators = async (path: string) => fetch((await openServers({ admin: ANY })).origin + path);
const route = async (path: string) => {
  const { origin } = await serveFile({
    gateways: { default: { port: 0 } },
    routes: [{ matches: [{ path: { exact: '/answer' } }], policies: answer('<script>alert(1)</script>') }],
  });
  return fetch(origin + path);
};

const OURS: Readonly<Record<string, () => Promise<Response>>> = {
  'JSON of a program': async () => post(await startStdio(), initialize()),
  'events of a program': async () => post(await startStdio(), initialize(), EVENTS),
  'JSON of several programs': async () => post(await startSeveral(), initialize()),
  'JSON of a remote server': async () => post(await startRemote(), initialize()),
  'events of a remote server': async () => fetch(await startRemote(), { headers: EVENTS }),
  'an error of a bridge': async () => fetch(await startStdio(), { method: 'PUT' }),
  'a message that is refused': async () => post(await startStdio(), '<script>'),
  'a challenge': () => ask('/mcp'),
  'a scope that is missing': () => ask('/mcp', message(issuer.token())),
  'a metadata document': () => ask('/.well-known/oauth-protected-resource/mcp'),
  'a page that is not there': () => route('/other'),
  'a directResponse': () => route('/answer'),
  'the health': () => operators('/healthz'),
  'the readiness': () => operators('/readyz'),
  'the metrics': () => operators('/metrics'),
  'the admin page': () => operators('/ui/'),
};

test.each(Object.entries(OURS))('browsers must not guess the type of %s', async (_name, request) => {
  const { headers, body } = await request();
  await body?.cancel();
  expect(headers.get('x-content-type-options')).toBe('nosniff');
});

test('browsers must not guess the type of what the OAuth proxy answers', async () => {
  const flow = await startOAuthProxyFlow('entra');
  const client = await registerClient(flow, { client_name: '<script>' });
  const register = { method: 'POST', headers: JSON_HEADERS, body: '{"redirect_uris":["http://127.0.0.1/<script>"]}' };
  for (const response of [
    (await client.authorize()).response,
    await fetch(`${flow.base}/client-registration`, register),
    await fetch(`${flow.base}/token`, { method: 'POST', body: new URLSearchParams({ grant_type: '<script>' }) }),
    await fetch(flow.base),
  ]) {
    expect([response.url, response.headers.get('x-content-type-options')]).toEqual([response.url, 'nosniff']);
  }
});

test('the answers of a server in the app stay as they are', async () => {
  const response = await ask('/mcp', message(issuer.token({ scopes: ['write'] })));
  expect(await response.text()).toBe('the page of the app');
  const { headers } = response;
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect([headers.get('x-content-type-options'), headers.get('content-security-policy')]).toEqual([null, null]);
});

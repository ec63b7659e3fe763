import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { replay } from '../support/client-replay.js';
import { startDevIssuerAndServer } from '../support/dev-issuer.js';
import { REAL_CLIENTS } from '../support/real-clients.js';
import { UserAgent } from '../support/user-agent.js';

interface Requests {
  readonly registration?: Record<string, unknown>;
  readonly authorize?: Record<string, string>;
  readonly refresh?: Record<string, string>;
}

/** The peculiarities of real clients' requests, as seen on the wire in November 2026. */
const CLIENTS: [string, Requests][] = [
  ['nothing but what it must', {}],
  [
    'MCP SDK (TypeScript)',
    {
      registration: { scope: 'read:all offline_access' },
      authorize: { scope: 'read:all offline_access', prompt: 'consent' },
    },
  ],
  [
    'scopes in another order',
    { authorize: { scope: 'offline_access read:all' }, refresh: { scope: 'offline_access' } },
  ],
  [
    'OpenAI Codex',
    {
      registration: { application_type: 'native', client_name: 'Codex', scope: 'read:all offline_access' },
      authorize: { scope: 'read:all offline_access' },
      refresh: { scope: 'read:all offline_access' },
    },
  ],
  ['GitHub Copilot CLI', { authorize: { scope: 'read:all offline_access', prompt: 'consent select_account' } }],
  ['select_account alone', { authorize: { scope: 'read:all', prompt: 'select_account' } }],
  ['login and select_account', { authorize: { scope: 'read:all offline_access', prompt: 'login select_account' } }],
  [
    'Gemini CLI, with unknown scopes',
    {
      registration: { client_name: 'Gemini CLI MCP Client', scope: 'openid offline_access profile read:all' },
      authorize: { scope: 'openid offline_access profile read:all' },
      refresh: { scope: 'openid offline_access profile' },
    },
  ],
  [
    'mcp-remote, with an address of its own',
    {
      registration: {
        client_uri: 'https://github.com/modelcontextprotocol/mcp-cli',
        software_id: 'x',
        software_version: '1',
      },
      authorize: { scope: 'read:all offline_access' },
      refresh: { scope: 'read:all offline_access' },
    },
  ],
  ['a step up from what it registered with', { registration: { scope: 'openid' }, authorize: { scope: 'read:all' } }],
];

const REDIRECT_URI = 'http://127.0.0.1:33418/callback';
const VERIFIER = 'v'.repeat(43);

async function register(issuer: string, registration: Record<string, unknown> = {}): Promise<string> {
  const plain = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none', response_types: ['code'] };
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${issuer}/reg`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ ...plain, grant_types: ['authorization_code', 'refresh_token'], ...registration }),
  });
  const text = await response.text();
  expect(response.status, text).toBe(201);
  return (JSON.parse(text) as { client_id: string }).client_id;
}

/** Logs in with one click; returns the URL of the callback. */
async function authorize(issuer: string, parameters: Record<string, string>): Promise<URL> {
  const code_challenge = createHash('sha256').update(VERIFIER).digest('base64url');
  const request = { response_type: 'code', redirect_uri: REDIRECT_URI, code_challenge, code_challenge_method: 'S256' };
  const agent = new UserAgent();
  const end = await agent.visit(
    `${issuer}/auth?${new URLSearchParams({ ...request, state: 's', ...parameters })}`,
    () => ({}),
    ({ href }) => href.startsWith(REDIRECT_URI),
  );
  if (!(end instanceof URL)) throw new Error(`stopped at ${end.url}: ${end.html}`);
  const clicks = agent.visited.filter((url) => url.includes('/interaction/'));
  expect(clicks, 'the page, and one click').toHaveLength(2);
  return end;
}

async function ask(issuer: string, form: Record<string, string>): Promise<Record<string, string>> {
  const response = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
  const answer = (await response.json()) as Record<string, string>;
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return answer;
}

const status = async (resource: string, token = '') => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return (await fetch(resource, { method: 'POST', headers, body: '{}' })).status;
};

async function logIn(issuer: string, resource: string, requests: Requests) {
  const client_id = await register(issuer, requests.registration);
  const callback = await authorize(issuer, { client_id, resource, ...requests.authorize });
  const code = callback.searchParams.get('code') ?? `no code: ${callback}`;
  const form = {
    grant_type: 'authorization_code',
    code,
    client_id,
    code_verifier: VERIFIER,
    redirect_uri: REDIRECT_URI,
  };
  return { client_id, tokens: await ask(issuer, { ...form, resource }) };
}

test.each(CLIENTS)('%s: logs in, and refreshes', async (_name, requests) => {
  const { issuer, resource, lines } = await startDevIssuerAndServer();
  const { client_id, tokens } = await logIn(issuer, resource, requests);
  expect(await status(resource, tokens.access_token)).not.toBe(401);
  const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '', client_id, resource };
  const refreshed = await ask(issuer, { ...form, ...requests.refresh });
  expect(await status(resource, refreshed.access_token)).not.toBe(401);
  expect(lines.filter((line) => line.startsWith('warn'))).toEqual([]);
});

test('refuses a login with prompt=none', async () => {
  const { issuer, resource } = await startDevIssuerAndServer();
  const client_id = await register(issuer);
  const query = new URLSearchParams({
    ...{ client_id, resource, redirect_uri: REDIRECT_URI, response_type: 'code', scope: 'read:all offline_access' },
    ...{ code_challenge: 'a'.repeat(43), code_challenge_method: 'S256', prompt: 'none' },
  });
  const answer = await fetch(`${issuer}/auth?${query}`, { redirect: 'manual' });
  expect(new URL(answer.headers.get('location') ?? issuer).searchParams.get('error')).toBe('login_required');
});

test('tokens expire after --dev-issuer-ttl', async () => {
  const { issuer, resource } = await startDevIssuerAndServer({ tokenSeconds: 6 });
  const { client_id, tokens } = await logIn(issuer, resource, { authorize: { scope: 'read:all' } });
  expect(tokens.expires_in).toBe(6);
  expect(await status(resource, tokens.access_token)).not.toBe(401);
  await setTimeout(6_100);
  expect(await status(resource, tokens.access_token)).toBe(401);
  const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '', client_id, resource };
  const refreshed = await ask(issuer, form);
  expect(await status(resource, refreshed.access_token)).not.toBe(401);
});

describe('real clients register, log in and refresh', () => {
  test.each(Object.entries(REAL_CLIENTS))('%s', async (_name, client) => {
    const { resource } = await startDevIssuerAndServer();
    const { registration, tokens, refreshed } = await replay({ client, resource, fillIn: () => ({}) });
    expect(registration.status).toBe(201);
    for (const { status: answered, body } of refreshed === undefined ? [tokens] : [tokens, refreshed]) {
      expect(answered, JSON.stringify(body)).toBe(200);
      expect(await status(resource, body.access_token as string)).not.toBe(401);
    }
    expect(refreshed !== undefined).toBe(client.refresh !== undefined);
  });
});

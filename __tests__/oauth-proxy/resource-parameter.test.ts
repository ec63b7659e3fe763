import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { protectedResourceMetadata } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { type RawClient, REDIRECT_URI, redirectOf, registerClient, VERIFIER } from '../support/oauth-proxy-client.js';
import { asAlice, type OAuthProxyFlow, startOAuthProxyFlow, tokenRequests } from '../support/oauth-proxy-flow.js';
import { UserAgent } from '../support/user-agent.js';

const OTHER = 'https://other.example/mcp';

/** The values of `resource` that are ours. `~` is our resource. */
const OURS: readonly (readonly string[])[] = [
  ['~?readonly=1'],
  ['~/?utm_source=a&b'],
  ['~?'],
  ['~', '~'],
  ['~?readonly=1', '~/'],
  ['~', ''],
];
const NOT_OURS: readonly (readonly string[])[] = [
  ['~', OTHER],
  [OTHER, '~'],
  ['~?a#b'],
  ['~/sub?a'],
  [`${OTHER}?~`],
  ['mcp?a'],
];

const repeated = (values: readonly string[], resource: string) =>
  values.map((value) => `&resource=${encodeURIComponent(value.replace('~', resource))}`).join('');

async function start() {
  const flow = await startOAuthProxyFlow('descope');
  return { flow, client: await registerClient(flow) };
}

async function codeFor({ guarded }: OAuthProxyFlow, client: RawClient, values: readonly string[]): Promise<string> {
  const url = client.authorizationUrl({ scope: 'mcp.read' }) + repeated(values, guarded.resource);
  const end = await new UserAgent().visit(url, asAlice, ({ href }) => href.startsWith(REDIRECT_URI));
  return (end as URL).searchParams.get('code') ?? '';
}

/** Sends a token request with `resource` as often as there are values. */
async function tokensFor(flow: OAuthProxyFlow, form: Record<string, string>, values: readonly string[]) {
  const body = new URLSearchParams(form) + repeated(values, flow.guarded.resource);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const response = await fetch(`${flow.base}/token`, { method: 'POST', headers, body });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

describe('a login, its code and a refresh may name our resource', () => {
  test.each(OURS.map((values) => [values]))('as %j', async (values) => {
    const { flow, client } = await start();
    const code = await codeFor(flow, client, values);
    const codeForm = { grant_type: 'authorization_code', code, client_id: client.id, code_verifier: VERIFIER };
    const { status, body } = await tokensFor(flow, codeForm, values);
    expect(status).toBe(200);
    const refreshForm = { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '', client_id: client.id };
    expect((await tokensFor(flow, refreshForm, values)).status).toBe(200);
    const { resource } = flow.guarded;
    const login = flow.upstream.requests.find(({ form }) => form.has('code_challenge'));
    expect(login?.form.getAll('resource')).toEqual([resource]);
    expect(tokenRequests(flow)).toMatchObject([{ resource }, { resource }]);
  });
});

describe('another resource is refused, and nothing is sent', () => {
  test.each(NOT_OURS.map((values) => [values]))('%j', async (values) => {
    const { flow, client } = await start();
    const { resource } = flow.guarded;
    const page = await new UserAgent().load(new URL(client.authorizationUrl() + repeated(values, resource)));
    expect(redirectOf(page)).toMatchObject({ target: REDIRECT_URI, parameters: { error: 'invalid_target' } });
    const code = await codeFor(flow, client, []);
    const codeForm = { grant_type: 'authorization_code', code, client_id: client.id, code_verifier: VERIFIER };
    const expected = { status: 400, body: { error: 'invalid_target' } };
    expect(await tokensFor(flow, codeForm, values)).toMatchObject(expected);
    const refreshForm = { grant_type: 'refresh_token', refresh_token: 'r', client_id: client.id };
    expect(await tokensFor(flow, refreshForm, values)).toMatchObject(expected);
    expect(tokenRequests(flow)).toEqual([]);
  });
});

const BASE = '/.well-known/oauth-authorization-server/mcp';

function createProxy(resource: string, ...before: express.RequestHandler[]) {
  const policy = createTestIssuer().policy({
    ...{ resource, provider: { standard: {} }, clientId: 'id' },
    oauthProxy: { secret: 's'.repeat(32) },
  });
  const app = express().use(...before, protectedResourceMetadata(policy));
  const register = async () => {
    const members = { redirect_uris: [REDIRECT_URI] };
    return (await request(app).post(`${BASE}/client-registration`).send(members)).body as { client_id: string };
  };
  return { app, register };
}

describe('after a body parser', () => {
  const RESOURCE = 'https://mcp.example/mcp';
  test.each([
    [`resource=${RESOURCE}&resource=${RESOURCE}?a`, 'unsupported_grant_type'],
    [`resource=${RESOURCE}&resource=${OTHER}`, 'invalid_target'],
    [`resource=${RESOURCE}&scope=a&scope=b`, 'invalid_request'],
  ])('%s: %s', async (query, error) => {
    for (const extended of [true, false]) {
      const { app, register } = createProxy(RESOURCE, express.json(), express.urlencoded({ extended }));
      const body = `grant_type=password&client_id=${(await register()).client_id}&${query}`;
      const answer = await request(app).post(`${BASE}/token`).type('form').send(body);
      expect(answer.body.error).toBe(error);
    }
  });
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type RawClient, redirectOf, registerClient } from '../support/oauth-proxy-client.js';
import { type OAuthProxyFlow, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { type Page, UserAgent } from '../support/user-agent.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

const passSeconds = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

const DAY = 86_400;
const HALF_AN_HOUR = 1_800;

function allow({ base }: OAuthProxyFlow, agent: UserAgent, { html }: Page): Promise<Page> {
  const request = /name="request" value="([^"]+)"/.exec(html)?.[1] ?? '';
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams({ request, decision: 'allow' }).toString();
  return agent.load(new URL(`${base}/consent`), { method: 'POST', headers, body });
}

/** A user who has allowed the client, and is logging in at the upstream server. */
async function begin() {
  const flow = await startOAuthProxyFlow('entra');
  const client = await registerClient(flow);
  const agent = new UserAgent();
  const login = await allow(flow, agent, await client.authorize({}, agent));
  return { flow, client, agent, state: redirectOf(login).parameters.state ?? '' };
}

function refresh(client: RawClient, refresh_token: unknown) {
  return client.token({ grant_type: 'refresh_token', refresh_token: refresh_token as string });
}

test.each([
  [HALF_AN_HOUR - 2, 303],
  [HALF_AN_HOUR + 1, 400],
])('a question of consent that is answered after %d s: %d', async (seconds, status) => {
  const flow = await startOAuthProxyFlow('entra');
  const client = await registerClient(flow);
  const agent = new UserAgent();
  const page = await client.authorize({}, agent);
  passSeconds(seconds);
  expect((await allow(flow, agent, page)).response.status).toBe(status);
});

test.each([
  [HALF_AN_HOUR - 2, 303],
  [HALF_AN_HOUR + 1, 400],
])('a login that comes back after %d s: %d', async (seconds, status) => {
  const { flow, agent, state } = await begin();
  passSeconds(seconds);
  const url = new URL(`${flow.base}/callback?${new URLSearchParams({ code: 'c', state })}`);
  expect((await agent.load(url)).response.status).toBe(status);
});

test.each([
  [598, 200],
  [601, 400],
])('a code that is swapped after %d s: %d', async (seconds, status) => {
  const client = await registerClient(await startOAuthProxyFlow('entra'));
  const code = (await client.logIn({ scope: 'mcp.read offline_access' })).get('code') ?? '';
  passSeconds(seconds);
  expect((await client.token({ code })).status).toBe(status);
});

test.each([
  [30 * DAY - 2, 303],
  [30 * DAY + 1, 200],
])('what was allowed in a browser, after %d s: %d', async (seconds, status) => {
  const { client, agent } = await begin();
  passSeconds(seconds);
  expect((await client.authorize({}, agent)).response.status).toBe(status);
});

test('client ids and refresh tokens last as long as the upstream server accepts them', async () => {
  const client = await registerClient(await startOAuthProxyFlow('entra'));
  const { body } = await client.token({
    code: (await client.logIn({ scope: 'mcp.read offline_access' })).get('code') ?? '',
  });
  passSeconds(400 * DAY);
  expect((await refresh(client, body.refresh_token)).status).toBe(200);
  expect((await client.logIn({ scope: 'mcp.read offline_access' })).get('code')).toBeTruthy();
});

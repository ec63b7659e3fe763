import { describe, expect, test } from 'vitest';
import { createOAuthProxySeal } from '../../src/oauth-proxy/sealed-contents.js';
import { redirectOf, registerClient } from '../support/oauth-proxy-client.js';
import { type OAuthProxyFlow, SECRET, startOAuthProxyFlow, unseal } from '../support/oauth-proxy-flow.js';
import { type Page, UserAgent } from '../support/user-agent.js';

/** A login in progress: the browser, and our `state` at the upstream server. */
async function underWay(flow: OAuthProxyFlow, ofClient = 'mine'): Promise<{ agent: UserAgent; state: string }> {
  const client = await registerClient(flow);
  const agent = new UserAgent();
  const page = await client.authorize({ state: ofClient }, agent);
  return { agent, state: redirectOf(page).parameters.state ?? '' };
}

function callBack({ base }: OAuthProxyFlow, agent: UserAgent, parameters: Record<string, string>): Promise<Page> {
  return agent.load(new URL(`${base}/callback?${new URLSearchParams(parameters)}`));
}

function expectPage({ response, html }: Page): void {
  expect(response.status).toBe(400);
  expect(response.headers.get('location')).toBeNull();
  expect(html).toContain('This login');
}

describe('the login must be from this server and this browser, and recent', () => {
  test('no state, an altered one, an expired one, one for another purpose', async () => {
    const flow = await startOAuthProxyFlow('keycloak');
    // Too long for a cookie, so that our state contains it.
    const { agent, state } = await underWay(flow, 's'.repeat(2_000));
    const { seal } = flow;
    const opened = unseal(flow, 'login', state);
    const iss = flow.upstream.issuer;
    for (const bad of [
      '',
      'mine',
      `${state}A`,
      state.slice(0, -4),
      seal.close('login', opened, -1),
      seal.close('consent', opened as never),
      seal.close('login', { ...opened, handle: 'h' }),
      createOAuthProxySeal([SECRET], ['https://other.example/mcp', flow.upstream.issuer, null]).close('login', opened),
    ]) {
      expectPage(await callBack(flow, agent, { code: 'c', state: bad, iss }));
    }
    expectPage(await callBack(flow, agent, { code: 'c', iss }));
    expect((await callBack(flow, agent, { code: 'c', state, iss })).response.status).toBe(303);
  });

  test("another browser's cookie, and none", async () => {
    const flow = await startOAuthProxyFlow('keycloak');
    const { state } = await underWay(flow);
    const { agent: victim } = await underWay(flow);
    for (const agent of [victim, new UserAgent()]) {
      expectPage(await callBack(flow, agent, { code: 'c', state, iss: flow.upstream.issuer }));
    }
  });
});

test.each(['keycloak', 'entra'] as const)(
  'two first logins at once in one browser do not break each other: %s',
  async (name) => {
    const flow = await startOAuthProxyFlow(name);
    const client = await registerClient(flow);
    const agent = new UserAgent();
    const pages = await Promise.all([
      client.authorize({ state: 'one' }, agent),
      client.authorize({ state: 'two' }, agent),
    ]);
    const questions = pages.map(({ html }) => /name="request" value="([^"]+)"/.exec(html)?.[1]);
    const logins = await Promise.all(
      pages.map((page, i) => {
        const body = new URLSearchParams({ request: questions[i] ?? '', decision: 'allow' }).toString();
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        return page.response.status === 303
          ? page
          : agent.load(new URL(`${flow.base}/consent`), { method: 'POST', headers, body });
      }),
    );
    for (const [i, login] of logins.entries()) {
      const state = redirectOf(login).parameters.state ?? '';
      const back = await callBack(flow, agent, { code: 'c', state, iss: flow.upstream.issuer });
      expect(redirectOf(back).parameters).toMatchObject({ code: expect.any(String), state: ['one', 'two'][i] });
    }
    const third = redirectOf(await client.authorize({}, agent)).parameters.state ?? '';
    expect((await callBack(flow, agent, { code: 'c', state: third, iss: flow.upstream.issuer })).response.status).toBe(
      303,
    );
  },
);

describe('iss, by the table of the specification', () => {
  test.each([
    ['keycloak', 'announced', 'the right one', true],
    ['keycloak', 'announced', 'another', false],
    ['keycloak', 'announced', 'the right one and a slash', false],
    ['keycloak', 'announced', 'none', false],
    ['okta', 'not announced', 'none', true],
    ['okta', 'not announced', 'the right one', true],
    ['okta', 'not announced', 'another', false],
    ['okta', 'not announced', 'ours', false],
  ] as const)('%s, %s: %s', async (name, _announced, kind, good) => {
    const flow = await startOAuthProxyFlow(name, undefined, { clientId: undefined });
    const headers = name === 'okta' ? 'SSWS 00api-token' : '';
    const { agent, state } = await underWayWith(flow, headers);
    const issuers = {
      'the right one': flow.upstream.issuer,
      'the right one and a slash': `${flow.upstream.issuer}/`,
      another: 'https://evil.example',
      ours: flow.guarded.resource,
      none: undefined,
    };
    const iss = issuers[kind];
    const page = await callBack(flow, agent, { code: 'c', state, ...(iss && { iss }) });
    if (!good) {
      expectPage(page);
      return;
    }
    expect(redirectOf(page).parameters).toEqual({
      code: expect.any(String),
      state: 'mine',
      iss: flow.guarded.resource,
    });
    expect(redirectOf(page).parameters.code, 'the code itself stays here').not.toBe('c');
  });
});

async function underWayWith(flow: OAuthProxyFlow, authorization: string): Promise<{ agent: UserAgent; state: string }> {
  const { rawClient, postJson, REDIRECT_URI } = await import('../support/oauth-proxy-client.js');
  const metadata = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' };
  const { body } = await postJson(`${flow.base}/client-registration`, metadata, { authorization });
  const agent = new UserAgent();
  const page = await rawClient(flow.base, body.client_id as string).authorize({}, agent);
  return { agent, state: redirectOf(page).parameters.state ?? '' };
}

describe('errors', () => {
  test.each([
    [
      { error: 'access_denied', error_description: 'No' },
      { error: 'access_denied', error_description: 'No' },
    ],
    [{ error: 'access_denied' }, { error: 'access_denied' }],
    [{ code: '', error: 'access_denied' }, { error: 'access_denied' }],
    [{ code: 'c', error: 'access_denied' }, { error: 'access_denied' }],
    [{ code: '' }, { error: 'server_error' }],
    [{}, { error: 'server_error' }],
    [{ error: 'a"b', error_description: 'x\ny' }, { error: 'server_error' }],
  ])('%j comes back as %j', async (given, expected) => {
    const flow = await startOAuthProxyFlow('keycloak');
    const { agent, state } = await underWay(flow);
    const page = await callBack(flow, agent, { ...given, state, iss: flow.upstream.issuer } as never);
    expect(redirectOf(page).parameters).toEqual({ ...expected, state: 'mine', iss: flow.guarded.resource });
  });

  test('leave out a description that is too long', async () => {
    const flow = await startOAuthProxyFlow('keycloak');
    const { agent, state } = await underWay(flow);
    const given = { error: 'e', error_description: 'a'.repeat(600) };
    const page = await callBack(flow, agent, { ...given, state, iss: flow.upstream.issuer });
    expect(redirectOf(page).parameters).toEqual({ error: 'e', state: 'mine', iss: flow.guarded.resource });
  });

  test('of another server are ignored', async () => {
    const flow = await startOAuthProxyFlow('keycloak');
    const { agent, state } = await underWay(flow);
    expectPage(await callBack(flow, agent, { error: 'access_denied', state, iss: 'https://evil.example' }));
  });
});

test('passes the error of the upstream server to the client', async () => {
  const flow = await startOAuthProxyFlow('keycloak');
  const client = await registerClient(flow);
  const end = await new UserAgent().visit(
    client.authorizationUrl(),
    () => ({ username: 'mallory' }),
    (url) => url.href.startsWith('http://127.0.0.1:33418/'),
  );
  expect(Object.fromEntries((end as URL).searchParams)).toEqual({
    error: 'access_denied',
    error_description: 'not alice',
    state: 'mine',
    iss: flow.guarded.resource,
  });
});

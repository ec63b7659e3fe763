import { describe, expect, test } from 'vitest';
import { REDIRECT_URI, redirectOf, registerClient } from '../support/oauth-proxy-client.js';
import { type OAuthProxyFlow, startOAuthProxyFlow, unseal } from '../support/oauth-proxy-flow.js';
import { type Page, UserAgent } from '../support/user-agent.js';

/** The sealed form field of a consent page. */
function questionOf({ html }: Page): string {
  return /name="request" value="([^"]+)"/.exec(html)?.[1] ?? '';
}

function answer({ base }: OAuthProxyFlow, agent: UserAgent, request: string, decision = 'allow'): Promise<Page> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams({ request, decision }).toString();
  return agent.load(new URL(`${base}/consent`), { method: 'POST', headers, body });
}

test('the page names client, target and scopes, and cannot be framed or scripted', async () => {
  const flow = await startOAuthProxyFlow('entra');
  const client = await registerClient(flow, { redirect_uris: ['https://client.example/callback'] });
  const page = await client.authorize({ redirect_uri: 'https://client.example/callback', scope: 'mcp.read openid' });
  expect(page.response.status).toBe(200);
  for (const shown of ['Raw', 'client.example', flow.guarded.resource, '<li>mcp.read</li>', '<li>openid</li>']) {
    expect(page.html).toContain(shown);
  }
  const { headers } = page.response;
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; frame-ancestors 'none'$/,
  );
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('set-cookie')).toMatch(
    /^mcp-login-[0-9a-f]{8}-[\w-]{8}=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000$/,
  );
  expect(page.html).not.toContain('<script');
});

test('every value is escaped', async () => {
  const flow = await startOAuthProxyFlow('entra');
  const hostile = `</title><script>alert(1)</script>"'&\u202e\u0000\u2028`;
  const client = await registerClient(flow, { client_name: hostile });
  const { html } = await client.authorize({ scope: "<img/src='x'>&" });
  expect(html).not.toMatch(/<script|<img|\u202e|\u2028|\0/);
  expect(html).toContain('&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;');
  expect(html).toContain('&lt;img/src=&#39;x&#39;&gt;&amp;');
});

test.each([
  [' ', undefined],
  ['\u3164\u2800 \u200b\u115f', undefined],
  ['“”"', undefined],
  ['\u202eevil\u2066', 'evil'],
  ['Good” to use nothing? “', 'Good to use nothing?'],
  ['لعبة', 'لعبة'],
])('the name %j is shown as %j', async (client_name, shown) => {
  const client = await registerClient(await startOAuthProxyFlow('entra'), { client_name });
  const [, heading] = /<h1>(.*)<\/h1>/.exec((await client.authorize()).html) ?? [];
  const who = shown === undefined ? 'a client without a name' : `“<bdi>${shown}</bdi>”`;
  expect(heading).toMatch(/ to use 127\.0\.0\.1:\d+\?$/);
  expect(heading).toContain(`Allow ${who} to use`);
});

describe('the answer', () => {
  test('allow continues to the login, and the browser is not asked again', async () => {
    const flow = await startOAuthProxyFlow('entra');
    const client = await registerClient(flow);
    const agent = new UserAgent();
    const page = await client.authorize({ scope: 'mcp.read' }, agent);
    expect(flow.upstream.requests).toEqual([]);
    expect(redirectOf(await answer(flow, agent, questionOf(page))).target).toContain('/oauth2/v2.0/authorize');
    expect((await client.authorize({ scope: 'mcp.read' }, agent)).response.status).toBe(303);
    expect(
      (await client.authorize({ scope: 'mcp.read', redirect_uri: 'http://127.0.0.1:1/callback' }, agent)).response
        .status,
    ).toBe(303);
  });

  test('it is remembered for that client, redirect URI, scopes and browser only', async () => {
    const flow = await startOAuthProxyFlow('entra');
    const redirect_uris = [REDIRECT_URI, 'https://client.example/callback'];
    const client = await registerClient(flow, { redirect_uris });
    const agent = new UserAgent();
    await answer(flow, agent, questionOf(await client.authorize({ scope: 'mcp.read' }, agent)));
    const other = await registerClient(flow, { redirect_uris });
    const asked = [
      await other.authorize({ scope: 'mcp.read' }, agent),
      await client.authorize({ scope: 'mcp.read', redirect_uri: 'https://client.example/callback' }, agent),
      await client.authorize({ scope: 'mcp.read mcp.write' }, agent),
      await client.authorize({ scope: 'mcp.read' }, new UserAgent()),
    ];
    for (const page of asked) expect(page.response.status).toBe(200);
  });

  test.each(['deny', '', 'Allow', 'allow '])('%j denies the request', async (decision) => {
    const flow = await startOAuthProxyFlow('entra');
    const client = await registerClient(flow);
    const agent = new UserAgent();
    const page = await answer(flow, agent, questionOf(await client.authorize({}, agent)), decision);
    const { target, parameters } = redirectOf(page);
    expect(target).toBe(REDIRECT_URI);
    expect(parameters).toMatchObject({ error: 'access_denied', state: 'mine', iss: flow.guarded.resource });
    expect(flow.upstream.requests).toEqual([]);
    expect((await client.authorize({}, agent)).response.status, 'and nothing is remembered').toBe(200);
  });

  test('of another browser is refused (CVE-2026-27124)', async () => {
    const flow = await startOAuthProxyFlow('entra');
    const client = await registerClient(flow);
    const victim = new UserAgent();
    await client.authorize({}, victim);
    const question = questionOf(await client.authorize({}, new UserAgent()));
    for (const agent of [victim, new UserAgent()]) {
      const { response } = await answer(flow, agent, question);
      expect(response.status).toBe(400);
      expect(response.headers.get('location')).toBeNull();
    }
  });

  test('to an altered, expired or missing form field is refused', async () => {
    const flow = await startOAuthProxyFlow('entra');
    const client = await registerClient(flow);
    const agent = new UserAgent();
    const good = questionOf(await client.authorize({}, agent));
    const { seal } = flow;
    const opened = unseal(flow, 'consent', good);
    const expired = seal.close('consent', opened, -1);
    const otherPurpose = seal.close('login', opened as never);
    for (const question of [`${good}A`, good.slice(1), expired, otherPurpose, client.id, '']) {
      expect((await answer(flow, agent, question)).response.status).toBe(400);
    }
    expect((await answer(flow, agent, good)).response.status).toBe(303);
  });
});

describe('a client that registered itself', () => {
  test('needs no consent here if it is on this computer or this host: the upstream server asks', async () => {
    const resource = 'https://mcp.example/mcp';
    const flow = await startOAuthProxyFlow('keycloak', 'keycloak', { resourceMetadata: { resource } });
    const redirect_uris = [REDIRECT_URI, 'cursor://client/callback', 'https://mcp.example/callback'];
    const client = await registerClient(flow, { redirect_uris });
    for (const redirect_uri of redirect_uris) {
      expect((await client.authorize({ redirect_uri })).response.status).toBe(303);
    }
  });

  test('needs consent here, too, if the answer goes to another host, which the upstream server does not know', async () => {
    const flow = await startOAuthProxyFlow('keycloak');
    const redirect_uri = 'https://client.example/callback';
    const client = await registerClient(flow, { redirect_uris: [redirect_uri] });
    const agent = new UserAgent();
    const page = await client.authorize({ redirect_uri }, agent);
    expect(page.response.status).toBe(200);
    expect(page.html).toContain('client.example');
    expect(flow.upstream.requests.map(({ path }) => path)).not.toContain('/realms/mcp/protocol/openid-connect/auth');
    expect(redirectOf(await answer(flow, agent, questionOf(page))).target).toContain('/protocol/openid-connect/auth');
    expect((await client.authorize({ redirect_uri }, agent)).response.status, 'and once only').toBe(303);
    expect((await client.logIn({ redirect_uri })).get('code')).toBeTruthy();
  });
});

test('over https the cookie is bound to exactly this host', async () => {
  const flow = await startOAuthProxyFlow('entra', 'entra', {
    resourceMetadata: { resource: 'https://mcp.example/mcp' },
  });
  const client = await registerClient(flow);
  const { response } = await client.authorize({ resource: undefined });
  expect(response.headers.get('set-cookie')).toMatch(
    /^__Host-mcp-login-[0-9a-f]{8}-[\w-]{8}=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000; Secure$/,
  );
});

test.each([
  ['a blank', ' ', 303],
  ['a tab', '\t', 303],
  // Browsers do not treat this name as one with `__Host-`, so another host of the domain may have set it.
  ['a no-break space', '\u00a0', 400],
])('a cookie after %s', async (_name, before, status) => {
  const flow = await startOAuthProxyFlow('entra', 'entra', {
    resourceMetadata: { resource: 'https://mcp.example/mcp' },
  });
  const page = await (await registerClient(flow)).authorize({ resource: undefined });
  const [cookie] = page.response.headers.get('set-cookie')?.split(';') ?? [];
  const answered = await fetch(`${flow.base}/consent`, {
    method: 'POST',
    headers: { cookie: `other=1;${before}${cookie}` },
    body: new URLSearchParams({ request: questionOf(page), decision: 'allow' }),
    redirect: 'manual',
  });
  expect(answered.status).toBe(status);
});

test('unreadable cookies of an old secret do not prevent a login, and all but a few are expired', async () => {
  const flow = await startOAuthProxyFlow('entra');
  const url = (await registerClient(flow)).authorizationUrl();
  const [name = ''] = (await fetch(url)).headers.get('set-cookie')?.split('=') ?? [];
  const old = Array.from({ length: 12 }, (_, i) => `${name.slice(0, -2)}${10 + i}`);
  const cookies = old.map((cookie) => `${cookie}=unreadable`).join('; ');
  const page = await fetch(url, { headers: { cookie: cookies } });
  const [fresh = '', ...taken] = page.headers.getSetCookie().toReversed();
  expect(taken.toReversed()).toEqual(
    old.slice(0, 4).map((cookie) => `${cookie}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`),
  );
  const request = questionOf({ html: await page.text() } as Page);
  const answered = await fetch(`${flow.base}/consent`, {
    method: 'POST',
    headers: { cookie: `${cookies}; ${fresh.split(';')[0]}` },
    body: new URLSearchParams({ request, decision: 'allow' }),
    redirect: 'manual',
  });
  expect(answered.headers.get('location')).toContain('/oauth2/v2.0/authorize');
});

test("cookies of unfinished logins expire except for the latest few, and the user's consents stay", async () => {
  const flow = await startOAuthProxyFlow('entra');
  const url = (await registerClient(flow)).authorizationUrl();
  const begin = async () => (await fetch(url)).headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const begun = await Promise.all(Array.from({ length: 12 }, begin));
  const page = await fetch(url, { headers: { cookie: begun.join('; ') } });
  const taken = begun.slice(1, 4).map((cookie) => cookie.split('=')[0]);
  expect(page.headers.getSetCookie()).toEqual(
    taken.map((name) => `${name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`),
  );
});

test('cookies of simultaneous first logins are bounded: older ones expire, and the latest login continues', async () => {
  const flow = await startOAuthProxyFlow('entra');
  const url = (await registerClient(flow)).authorizationUrl();
  const begun = await Promise.all(
    Array.from({ length: 80 }, async () => {
      const page = await fetch(url);
      const [cookie = ''] = page.headers.get('set-cookie')?.split(';') ?? [];
      return { cookie, request: questionOf({ html: await page.text() } as Page) };
    }),
  );
  const cookies = begun.map(({ cookie }) => cookie).join('; ');
  const next = await fetch(url, { headers: { cookie: cookies } });
  await next.text();
  const taken = next.headers.getSetCookie().filter((line) => line.endsWith('Max-Age=0'));
  expect(taken.map((line) => line.split('=')[0])).toEqual(
    begun.slice(-63, -8).map(({ cookie }) => cookie.split('=')[0]),
  );
  const answered = await fetch(`${flow.base}/consent`, {
    method: 'POST',
    headers: { cookie: cookies },
    body: new URLSearchParams({ request: begun.at(-1)?.request ?? '', decision: 'allow' }),
    redirect: 'manual',
  });
  expect(answered.headers.get('location')).toContain('/oauth2/v2.0/authorize');
});

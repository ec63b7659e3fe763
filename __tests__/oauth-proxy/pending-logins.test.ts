import { describe, expect, test } from 'vitest';
import { registerClient } from '../support/oauth-proxy-client.js';
import { type OAuthProxyFlow, SECRET, startOAuthProxyFlow, unseal } from '../support/oauth-proxy-flow.js';

/** 128 bits: the end of a cookie's name. */
const HANDLE = /^[\w-]{22}$/;

/** A browser whose cookies a test sets and reads. */
class Cookies {
  readonly lines: string[] = [];
  readonly values = new Map<string, string>();

  async get(url: string): Promise<Response> {
    const response = await fetch(url, { headers: { cookie: this.header }, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      this.lines.push(line);
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.includes('; Max-Age=0')) this.values.delete(name);
      else this.values.set(name, value);
    }
    return response;
  }

  get header(): string {
    return [...this.values].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** The names of the cookies with logins. */
  get logins(): string[] {
    return [...this.values.keys()].filter((name) => name.includes('mcp-state-'));
  }
}

async function begin(resource?: string, oauthProxy: object = {}) {
  const started = await startOAuthProxyFlow('keycloak', undefined, {
    oauthProxy: { secret: SECRET, ...oauthProxy },
    ...(resource && { resourceMetadata: { resource } }),
  });
  const path = new URL(resource ?? started.guarded.resource).pathname.replace(/\/$/, '');
  const flow = { ...started, base: `${started.guarded.origin}/.well-known/oauth-authorization-server${path}` };
  const client = await registerClient(flow);
  const browser = new Cookies();
  const logIn = async (state = 'mine') => {
    const { headers } = await browser.get(client.authorizationUrl({ state }));
    return new URL(headers.get('location') ?? '').searchParams.get('state') ?? '';
  };
  return { flow, client, browser, logIn };
}

async function callBack({ base, upstream }: OAuthProxyFlow, browser: Cookies, state: string) {
  const response = await browser.get(
    `${base}/callback?${new URLSearchParams({ code: 'c', state, iss: upstream.issuer })}`,
  );
  const location = response.headers.get('location');
  return { status: response.status, state: location && new URL(location).searchParams.get('state') };
}

describe('the state at the authorization server', () => {
  test.each([
    ['http://localhost:3000/mcp', '', '/mcp/'],
    ['https://mcp.example/mcp', '__Secure-', '/mcp/'],
    ['https://mcp.example/a/mcp/', '__Secure-', '/a/mcp/'],
    ['https://mcp.example', '__Secure-', '/'],
  ])('has 22 characters, and names a cookie that only its endpoints get: %s', async (resource, prefix, below) => {
    const { browser, logIn } = await begin(resource);
    const state = await logIn('x'.repeat(300));
    expect(state).toMatch(HANDLE);
    expect(browser.logins).toEqual([expect.stringMatching(new RegExp(`^${prefix}mcp-state-[0-9a-f]{8}-${state}$`))]);
    const attributes = browser.lines.at(-1)?.split('; ').slice(1);
    const secure = prefix === '' ? [] : ['Secure'];
    const path = `Path=/.well-known/oauth-authorization-server${below}`;
    expect(attributes).toEqual([path, 'HttpOnly', 'SameSite=Lax', 'Max-Age=1800', ...secure]);
  });

  test('names a cookie of the whole host if the resource has a semicolon, which would end the attribute', async () => {
    const { browser, logIn } = await begin('https://mcp.example/a;b/mcp');
    await logIn();
    expect(browser.lines.at(-1)).toMatch(/^__Host-mcp-state-[\w-]+=[\w-]+; Path=\/; HttpOnly/);
  });

  test('is made where browsers send the cookies of other logins: /authorize of the origin redirects there', async () => {
    const { flow, client, browser } = await begin(undefined, { legacyEndpoints: true });
    const { search } = new URL(client.authorizationUrl());
    const { headers } = await browser.get(`${flow.guarded.origin}/authorize${search}`);
    expect(headers.get('location')).toBe(`${flow.base}/authorize${search}`);
    expect(browser.lines).toEqual([]);
  });

  test('is the login itself if that is too long for a cookie', async () => {
    const { flow, browser, logIn } = await begin();
    const state = await logIn('x'.repeat(2_000));
    expect(unseal(flow, 'login', state).state).toHaveLength(2_000);
    expect(browser.logins).toEqual([]);
    expect(await callBack(flow, browser, state)).toEqual({ status: 303, state: 'x'.repeat(2_000) });
  });

  test('is the login itself if the cookies of the browser are so long that servers could refuse more', async () => {
    const { flow, browser, logIn } = await begin();
    browser.values.set('of-the-application', 'x'.repeat(4_500));
    const states: string[] = [];
    for (let i = 0; i < 8; i++) states.push(await logIn(`${i}`));
    const inCookies = states.filter((state) => HANDLE.test(state));
    expect(inCookies.length).toBeGreaterThan(0);
    expect(inCookies).toHaveLength(browser.logins.length);
    expect(browser.header.length).toBeLessThan(6_400);
    for (const [i, state] of states.entries()) {
      expect(await callBack(flow, browser, state)).toEqual({ status: 303, state: `${i}` });
    }
  });

  test.each([0, 2_000, 3_500])(
    'stays short after 20 abandoned logins, beside %i characters of cookies',
    async (length) => {
      const { flow, browser, logIn } = await begin();
      browser.values.set('of-the-application', 'x'.repeat(length));
      const states: string[] = [];
      for (let i = 0; i < 20; i++) states.push(await logIn(`${i}`));
      expect(states.filter((state) => !HANDLE.test(state))).toEqual([]);
      expect(browser.header.length).toBeLessThan(6_400);
      expect(await callBack(flow, browser, states[0] as string), 'the oldest is given up').toMatchObject({
        status: 400,
      });
      for (let i = 17; i < 20; i++) {
        expect(await callBack(flow, browser, states[i] as string)).toEqual({ status: 303, state: `${i}` });
      }
    },
  );
});

describe('a login in a cookie', () => {
  test('comes back for a minute after its first return: a browser may drop that answer', async () => {
    const { flow, browser, logIn } = await begin();
    const state = await logIn();
    const name = browser.logins[0] as string;
    const value = browser.values.get(name);
    for (let i = 0; i < 2; i++) {
      expect(await callBack(flow, browser, state)).toEqual({ status: 303, state: 'mine' });
      expect(browser.lines.at(-1)).toBe(
        `${name}=${value}; Path=${new URL(flow.base).pathname}/; HttpOnly; SameSite=Lax; Max-Age=60`,
      );
    }
  });

  test('does not come back to another browser, nor to one whose cookie is gone, is that of another login, or is altered', async () => {
    const { flow, client, browser, logIn } = await begin();
    const [one, other] = [await logIn('one'), await logIn('other')];
    const [nameOfOne, nameOfOther] = browser.logins as [string, string];
    const value = browser.values.get(nameOfOne) as string;
    const expectPage = async (who: Cookies, state: string) =>
      expect(await callBack(flow, who, state)).toEqual({ status: 400, state: null });
    await expectPage(new Cookies(), one);
    const another = new Cookies();
    await another.get(client.authorizationUrl());
    another.values.set(nameOfOne, value);
    await expectPage(another, one);
    await expectPage(browser, value);
    await expectPage(browser, one.toLowerCase());
    for (const wrong of [browser.values.get(nameOfOther) as string, `${value}A`, one, '']) {
      browser.values.set(nameOfOne, wrong);
      await expectPage(browser, one);
    }
    browser.values.delete(nameOfOne);
    await expectPage(browser, one);
    expect(await callBack(flow, browser, other)).toEqual({ status: 303, state: 'other' });
  });
});

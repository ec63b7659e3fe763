import { type RequestListener, request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { CLIENT } from '../support/certificates.js';
import { startChromium } from '../support/chromium.js';
import { listen, serve, stop } from '../support/loopback-server.js';
import { type RawClient, registerClient } from '../support/oauth-proxy-client.js';
import { type OAuthProxyFlow, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';

const HOST = 'https://a.example.test';
const SIBLING = 'https://evil.example.test';

interface Scene {
  readonly flow: OAuthProxyFlow;
  readonly browser: Browser;
  /** The clients' redirect URIs are here; `codes` are those that arrived. */
  readonly listener: string;
  readonly codes: (string | null)[];
  /** The `Cookie` headers that reached our callback. */
  readonly cookies: string[];
  /** The next answer of the sibling host: its `Set-Cookie` and `Location`. */
  readonly sibling: { setCookie: string[]; location: string };
}

/** Starts our server on one host of a domain and an attacker's on another, over https, for a real browser. */
async function startScene(): Promise<Scene> {
  const flow = await startOAuthProxyFlow('keycloak', 'keycloak', { resourceMetadata: { resource: `${HOST}/mcp` } });
  const cookies: string[] = [];
  const sibling = { setCookie: [] as string[], location: '' };
  const codes: (string | null)[] = [];
  const ours = await serveHttps((req, res) => {
    if (req.url?.includes('/callback?')) cookies.push(req.headers.cookie ?? '');
    const { method, headers } = req;
    const through = request(flow.guarded.origin + req.url, { method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
      answer.pipe(res);
    });
    req.pipe(through);
  });
  const theirs = await serveHttps((_req, res) => {
    res.writeHead(302, { 'set-cookie': sibling.setCookie, location: sibling.location }).end();
  });
  const listener = await serve((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '', 'http://listener');
    if (pathname === '/callback') codes.push(searchParams.get('code'));
    res.end('<title>back at the client</title>');
  });
  const rules = `MAP a.example.test:443 127.0.0.1:${ours}, MAP evil.example.test:443 127.0.0.1:${theirs}`;
  const browser = await startChromium(`--host-resolver-rules=${rules}`);
  return { flow, browser, listener, codes, cookies, sibling };
}

async function serveHttps(listener: RequestListener): Promise<number> {
  const server = createServer(CLIENT, listener);
  await listen(server);
  onTestFinished(() => stop(server));
  return (server.address() as AddressInfo).port;
}

/** A page in a browser context with its own cookies. */
async function newPage({ browser }: Scene): Promise<Page> {
  return (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
}

function register({ flow, listener }: Scene): Promise<RawClient> {
  return registerClient(flow, { redirect_uris: [`${listener}/callback`] });
}

/** Starts a login and stops at the login page of the upstream server. */
async function startLogin(page: Page, client: RawClient, { listener }: Scene): Promise<void> {
  const url = new URL(client.authorizationUrl({ redirect_uri: `${listener}/callback` }));
  await page.goto(HOST + url.pathname + url.search);
  await page.locator('input[name=username]').waitFor();
}

async function finishLogin(page: Page): Promise<void> {
  await page.locator('input[name=username]').fill('alice');
  await Promise.all([
    page.waitForURL((url) => url.pathname.endsWith('/callback')),
    page.locator('input[name=username]').press('Enter'),
  ]);
  await page.waitForLoadState();
}

/** The attacker's own login, up to the login page: the URL where it continues, and the cookies that it needs. */
async function prepareAttack(scene: Scene) {
  const page = await newPage(scene);
  await startLogin(page, await register(scene), scene);
  const cookies = await page.context().cookies(`${HOST}/.well-known/oauth-authorization-server/mcp/callback`);
  for (const cookie of cookies)
    expect(cookie).toMatchObject({ domain: 'a.example.test', secure: true, httpOnly: true });
  expect(cookies.map(({ name }) => name)).toEqual(OUR_COOKIES);
  return { loginUrl: page.url(), cookies };
}

/** Browsers send those with the longer path first. */
const OUR_COOKIES = [expect.stringMatching(/^__Secure-mcp-state-/), expect.stringMatching(/^__Host-mcp-login-/)];

/** The victim opens a link to the sibling host, and logs in at the server that they know. */
async function openAttack(scene: Scene, setCookie: string[], loginUrl: string): Promise<Page> {
  Object.assign(scene.sibling, { setCookie, location: loginUrl });
  const page = await newPage(scene);
  await page.goto(SIBLING);
  await page.locator('input[name=username]').waitFor();
  await finishLogin(page);
  return page;
}

const ofDomain = (cookie: string) => `${cookie}; Domain=example.test; Path=/; Secure`;

test('control: a login in one browser gives the client its code', async () => {
  const scene = await startScene();
  const page = await newPage(scene);
  await startLogin(page, await register(scene), scene);
  await finishLogin(page);
  expect(await page.title()).toBe('back at the client');
  expect(scene.codes).toEqual([expect.any(String)]);
  expect(scene.cookies.map((header) => header.split('; '))).toEqual([OUR_COOKIES]);
});

/** Bytes, as latin1, that JavaScript's `trim()` removes, or that become such a character in another encoding. */
const prefixes: [what: string, bytes: string][] = [
  ['a no-break space', '\u00a0'],
  ['two no-break spaces', '\u00a0\u00a0'],
  ['a next line', '\u0085'],
  ['a no-break space in UTF-8', '\u00c2\u00a0'],
  ['a byte order mark in UTF-8', '\u00ef\u00bb\u00bf'],
  ['an ideographic space in UTF-8', '\u00e3\u0080\u0080'],
];

test.each(prefixes)('%s before the name: the login does not continue', async (_what, bytes) => {
  const scene = await startScene();
  const { loginUrl, cookies } = await prepareAttack(scene);
  const planted = cookies.map(({ name, value }) => `${bytes}${name}=${value}`);
  const page = await openAttack(scene, planted.map(ofDomain), loginUrl);
  expect(scene.cookies, 'the browser has sent them').toEqual([planted.join('; ')]);
  expect(await page.getByRole('heading').textContent()).toBe('This login cannot continue');
  expect(scene.codes).toEqual([]);
});

test.each<[what: string, rename: (name: string) => string, reaching: RegExp]>([
  ['the same name, refused with `__Host-`', (name) => name, /^__Secure-/],
  ['the name without its prefix', (name) => name.replace(/^__(Host|Secure)-/, ''), /^/],
  ['the name in other capitals', (name) => name.replace('mcp', 'Mcp').replace('__Host-', '__-Host-'), /^/],
])('control: an ordinary cookie of the sibling host does not count: %s', async (_what, rename, reaching) => {
  const scene = await startScene();
  const { loginUrl, cookies } = await prepareAttack(scene);
  const planted = cookies.map(({ name, value }) => `${rename(name)}=${value}`);
  const page = await openAttack(scene, planted.map(ofDomain), loginUrl);
  expect(scene.cookies).toEqual([planted.filter((cookie) => reaching.test(cookie)).join('; ')]);
  expect(await page.getByRole('heading').textContent()).toBe('This login cannot continue');
  expect(scene.codes).toEqual([]);
});

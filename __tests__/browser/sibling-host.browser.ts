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
  /** Where clients get their codes; what came there. */
  readonly listener: string;
  readonly codes: (string | null)[];
  /** The `Cookie` headers that reached our callback. */
  readonly cookies: string[];
  /** What the sibling's next page says in `Set-Cookie`, and where it leads. */
  readonly sibling: { setCookie: string; location: string };
}

/** Our server at one host of a domain, somebody else's at another, over https, as a real browser sees them. */
async function setScene(): Promise<Scene> {
  const flow = await startOAuthProxyFlow('keycloak', 'keycloak', { resourceMetadata: { resource: `${HOST}/mcp` } });
  const cookies: string[] = [];
  const sibling = { setCookie: '', location: '' };
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

/** A page of a person of their own, who shares no cookies with others. */
async function newPerson({ browser }: Scene): Promise<Page> {
  return (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
}

function register({ flow, listener }: Scene): Promise<RawClient> {
  return registerClient(flow, { redirect_uris: [`${listener}/callback`] });
}

/** Begins a login and stops at the page for the password. */
async function beginLogin(page: Page, client: RawClient, { listener }: Scene): Promise<void> {
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

/** The attacker's own login, up to the password: the address where it goes on, and the cookie that it hangs on. */
async function prepareAttack(scene: Scene) {
  const page = await newPerson(scene);
  await beginLogin(page, await register(scene), scene);
  const [cookie] = await page.context().cookies(HOST);
  if (cookie === undefined) throw new Error('no cookie was set');
  expect(cookie).toMatchObject({ domain: 'a.example.test', secure: true, httpOnly: true });
  expect(cookie.name).toMatch(/^__Host-mcp-login-/);
  return { goesOnAt: page.url(), cookie };
}

/** What the victim does: opens a link to the sibling, and logs in at the server they know. */
async function fallFor(scene: Scene, setCookie: string, goesOnAt: string): Promise<Page> {
  Object.assign(scene.sibling, { setCookie, location: goesOnAt });
  const page = await newPerson(scene);
  await page.goto(SIBLING);
  await page.locator('input[name=username]').waitFor();
  await finishLogin(page);
  return page;
}

test('control: a login that begins and ends in one browser gives the client its code', async () => {
  const scene = await setScene();
  const page = await newPerson(scene);
  await beginLogin(page, await register(scene), scene);
  await finishLogin(page);
  expect(await page.title()).toBe('back at the client');
  expect(scene.codes).toEqual([expect.any(String)]);
  expect(scene.cookies).toEqual([expect.stringMatching(/^__Host-mcp-login-/)]);
});

/** Bytes, as latin1, that JavaScript's `trim()` takes off, or that another decoding makes such a character of. */
const prefixes: [what: string, bytes: string][] = [
  ['a no-break space', '\u00a0'],
  ['two no-break spaces', '\u00a0\u00a0'],
  ['a next line', '\u0085'],
  ['a no-break space in UTF-8', '\u00c2\u00a0'],
  ['a byte order mark in UTF-8', '\u00ef\u00bb\u00bf'],
  ['an ideographic space in UTF-8', '\u00e3\u0080\u0080'],
];

test.each(prefixes)('%s before the name: the login does not go on', async (_what, bytes) => {
  const scene = await setScene();
  const { goesOnAt, cookie } = await prepareAttack(scene);
  const setCookie = `${bytes}${cookie.name}=${cookie.value}; Domain=example.test; Path=/; Secure`;
  const page = await fallFor(scene, setCookie, goesOnAt);
  expect(scene.cookies, 'the browser has sent it').toEqual([`${bytes}${cookie.name}=${cookie.value}`]);
  expect(await page.getByRole('heading').textContent()).toBe('This login cannot go on');
  expect(scene.codes).toEqual([]);
});

test.each<[what: string, rename: (name: string) => string, reaches: boolean]>([
  ['the same name, which the browser refuses', (name) => name, false],
  ['the name without its prefix', (name) => name.replace('__Host-', ''), true],
  ['the name in other capitals', (name) => name.replace('mcp', 'Mcp').replace('__Host-', '__-Host-'), true],
])('control: a proper cookie of the sibling does not count: %s', async (_what, rename, reaches) => {
  const scene = await setScene();
  const { goesOnAt, cookie } = await prepareAttack(scene);
  const setCookie = `${rename(cookie.name)}=${cookie.value}; Domain=example.test; Path=/; Secure`;
  const page = await fallFor(scene, setCookie, goesOnAt);
  expect(scene.cookies).toEqual([reaches ? `${rename(cookie.name)}=${cookie.value}` : '']);
  expect(await page.getByRole('heading').textContent()).toBe('This login cannot go on');
  expect(scene.codes).toEqual([]);
});

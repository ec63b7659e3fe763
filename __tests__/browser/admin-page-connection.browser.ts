import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import { expect, test } from 'vitest';
import { serveAdminApp } from '../support/admin-app.js';
import { openAdminPage } from '../support/admin-page.js';
import { publishCall } from '../support/call-records.js';

test('calls that the page knows are not counted again after a lost connection to the same server', async () => {
  const sockets = new Set<Socket>();
  const { origin } = await serveAdminApp({ options: { authorize: ({ socket }) => Boolean(sockets.add(socket)) } });
  const page = await openAdminPage({ ui: `${origin}/admin/` }, 'callers', {}, /Failed to load resource|ERR_/);
  const carol = { user: 'carol', issuer: 'https://issuer.test' };
  const calls = page.getByRole('row').filter({ hasText: 'carol' }).locator('[data-label=Calls]');
  for (let n = 0; n < 2; n += 1) publishCall(carol);
  await expect.poll(() => calls.allTextContents()).toEqual(['2']);
  for (const socket of sockets) socket.destroy();
  await page.getByText('Connection lost. Trying again…').waitFor();
  publishCall(carol);
  await expect.poll(() => calls.allTextContents()).toEqual(['3']);
  await page.getByRole('link', { name: 'Live' }).click();
  await expect.poll(() => page.locator('.entry', { hasText: 'carol' }).count()).toBe(3);
});

test('tools can be listed as soon as the page knows the routes, and not before', async () => {
  const { origin, issuer } = await serveAdminApp();
  const page = await openAdminPage({ ui: `${origin}/admin/` }, 'tools');
  let answer: () => void = () => undefined;
  const isLetThrough = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route('**/api/state', async (route) => {
    await isLetThrough;
    await route.continue();
  });
  await page.reload();
  await page.locator('.connection.good').waitFor();
  const list = page.getByRole('button', { name: 'List the tools' });
  expect(await list.isVisible()).toBe(false);
  answer();
  await page.getByLabel('Access token or API key').fill(issuer.token());
  await list.click();
  await page.getByRole('button', { name: 'echo' }).waitFor();
});

test('a page that finds no place says why, and is live when one is free', async () => {
  const sockets = new Set<Socket>();
  const { origin, events } = await serveAdminApp({
    options: { authorize: ({ socket }) => Boolean(sockets.add(socket)) },
  });
  const viewport = { width: 360, height: 800 };
  const page = await openAdminPage({ ui: `${origin}/admin/` }, 'live', { viewport }, /Failed to load resource|ERR_/);
  const socketsOfPage = [...sockets];
  const others = new Set<Socket>();
  for (let n = 0; n < 19; n += 1) await events();
  for (const socket of sockets) if (!socketsOfPage.includes(socket)) others.add(socket);
  for (const socket of socketsOfPage) socket.destroy();
  await page.getByText('Connection lost. Trying again…').waitFor();
  await events();
  await page.getByText('At most 20 admin pages can be open at once: close one. Trying again…').waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(viewport.width);
  for (const socket of others) socket.destroy();
  await page.locator('.connection.good', { hasText: /^Live$/ }).waitFor();
});

test('a page whose operator has logged out says so, and is live after the next login', async () => {
  const sockets = new Set<Socket>();
  let isLoggedIn = true;
  const login: RequestHandler = (req, res, next) => {
    if (req.path === '/login') res.send('<h1>Log in</h1>');
    else if (isLoggedIn) next();
    else res.redirect('/admin/login');
  };
  const authorize = ({ socket }: { socket: Socket }) => Boolean(sockets.add(socket));
  const { origin } = await serveAdminApp({ before: [login], options: { authorize } });
  const page = await openAdminPage({ ui: `${origin}/admin/` }, 'live', {}, /Failed to load resource|ERR_|MIME type/);
  isLoggedIn = false;
  for (const socket of sockets) socket.destroy();
  const text = 'The server sends this page to another address: you may have to log in again.';
  await page.locator('.connection.bad', { hasText: `${text} Trying again…` }).waitFor();
  await page.getByRole('alert').getByText(text).waitFor();
  isLoggedIn = true;
  await page.locator('.connection.good', { hasText: /^Live$/ }).waitFor();
  await expect.poll(() => page.getByRole('alert').count()).toBe(0);
});

test('a page that opens its next stream shows no lost connection', async () => {
  const { origin } = await serveAdminApp({ options: { authorize: () => true } });
  const page = await openAdminPage({ ui: `${origin}/admin/` }, 'callers');
  const seen: string[] = [];
  await page.exposeFunction('note', (text: string) => seen.push(text));
  await page.evaluate(
    'new MutationObserver(() => note(document.querySelector(".connection").textContent)).observe(document.querySelector(".connection"), { childList: true, subtree: true, characterData: true })',
  );
  let streams = 0;
  page.on('request', (request) => {
    if (request.url().endsWith('/api/events')) streams += 1;
  });
  const calls = page.getByRole('row').filter({ hasText: 'carol' }).locator('[data-label=Calls]');
  let published = 0;
  const calling = setInterval(() => {
    publishCall({ user: 'carol', issuer: 'https://issuer.test' });
    published += 1;
  }, 250);
  await expect.poll(() => streams, { timeout: 80_000 }).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  clearInterval(calling);
  await expect.poll(async () => Number(await calls.textContent())).toBe(published);
  await page.getByRole('link', { name: 'Live' }).click();
  await expect.poll(() => page.locator('.entry', { hasText: 'carol' }).count()).toBe(Math.min(300, published));
  expect(streams).toBe(1);
  expect(seen).toEqual([]);
}, 120_000);

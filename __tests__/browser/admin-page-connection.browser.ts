import type { Socket } from 'node:net';
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

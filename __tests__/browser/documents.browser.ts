import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { serveBrowserClient } from '../support/browser-client.js';
import { keepScreenshot, startChromium } from '../support/chromium.js';
import { type ServedDocument, serveClientDocument, startDocumentProxy } from '../support/client-documents.js';
import { freePort } from '../support/loopback-server.js';
import { startOidcServer } from '../support/oidc-server.js';

/** Opens a page of another origin, whose client has a metadata document, up to our consent page. */
async function openConsent(name: string): Promise<{ page: Page; document: ServedDocument }> {
  const port = await freePort();
  const resource = `http://127.0.0.1:${port}/mcp`;
  const issuer = await startOidcServer(() => resource);
  const policy = { issuer, provider: { standard: {} }, resourceMetadata: { scopesSupported: ['mcp.read'] } };
  await startDocumentProxy(policy, port);
  const client = await serveBrowserClient(resource);
  const document = await serveClientDocument({
    client_name: name,
    redirect_uris: [new URL('/page', client).href],
  });
  const page = await (await startChromium()).newPage();
  await page.goto(`${client}&document=${encodeURIComponent(document.url)}`);
  await page.getByRole('button', { name: 'Allow' }).waitFor();
  return { page, document };
}

async function outputOf(page: Page): Promise<string | null> {
  await page.locator('output:not(:empty)').waitFor();
  return await page.locator('output').textContent();
}

test('a page of another origin is allowed by the host of its document, logs in, and calls a tool', async () => {
  const { page, document } = await openConsent('An app in a page');
  expect(await page.locator('body').textContent()).toContain(new URL(document.url).host);
  await keepScreenshot(page, 'consent-document');
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.locator('input[name=login]').fill('alice');
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'Continue' }).click();
  expect(await outputOf(page)).toContain('mcp.read');
  expect(document.fetches).toBe(1);
});

test('a page of another origin that is denied learns it, and gets no token', async () => {
  const { page } = await openConsent('An app in a page');
  await page.getByRole('button', { name: 'Deny' }).click();
  expect(await outputOf(page)).toBe('failed: OAuthError: The user has denied the request');
  expect(await page.evaluate('sessionStorage.tokens')).toBeUndefined();
});

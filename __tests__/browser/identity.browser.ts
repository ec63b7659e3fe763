import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { serveBrowserClient } from '../support/browser-client.js';
import { keepScreenshot, startChromium } from '../support/chromium.js';
import { type IdentityFlow, startIdentityFlow } from '../support/identity-flow.js';

/** Opens a page of another origin with an MCP client in it, in a browser that reaches GitHub's imitation by GitHub's name. */
async function openPage({ guarded, upstream }: IdentityFlow): Promise<Page> {
  const rules = upstream.names.map((name) => `MAP ${name} 127.0.0.1:${upstream.port}`).join(', ');
  const browser = await startChromium(`--host-resolver-rules=${rules}`);
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  await page.goto(await serveBrowserClient(guarded.resource));
  return page;
}

/** Allows the client, and logs in under this name. Resolves to what the page then says. */
async function logIn(page: Page, name: string): Promise<string | null> {
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.locator('input[name=username]').fill(name);
  expect(new URL(page.url()).host).toBe('github.com');
  await page.locator('input[name=username]').press('Enter');
  await page.locator('output:not(:empty)').waitFor();
  return await page.locator('output').textContent();
}

test('a page of another origin is allowed, logs in at GitHub, and calls a tool with a token of this server', async () => {
  const flow = await startIdentityFlow('GitHub');
  const page = await openPage(flow);
  await page.getByRole('button', { name: 'Allow' }).waitFor();
  await keepScreenshot(page, 'consent-github');
  expect(await logIn(page, 'alice')).toContain('mcp.read');
  const tokens = await page.evaluate<string>('sessionStorage.tokens');
  expect(tokens).toContain('"access_token":"emat_');
  expect(JSON.stringify(await page.evaluate('({ ...sessionStorage })'))).not.toContain('gho_');
});

test('a page whose user is not in the organisation learns it, and gets no token', async () => {
  const page = await openPage(await startIdentityFlow('GitHub'));
  expect(await logIn(page, 'bob')).toContain('This account may not use this server');
  expect(await page.evaluate('sessionStorage.tokens')).toBeUndefined();
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveBrowserClient } from '../support/browser-client.js';
import { hasChromium, keepScreenshot, startChromium } from '../support/chromium.js';
import { CLI, endPrograms, ROOT, startNode } from '../support/program.js';

beforeAll(async () => {
  const gateway = startNode([CLI, '-f', `${ROOT}samples/keycloak/config.yaml`, '--host', '127.0.0.1']);
  await gateway.says(/Listening on 127\.0\.0\.1:3000/);
});
afterAll(endPrograms);

test.skipIf(!hasChromium)('a client in a page of another origin logs in at Keycloak, and calls a tool', async () => {
  const page = await (await startChromium()).newPage();
  await page.goto(await serveBrowserClient('http://localhost:3000/mcp'));
  await page.locator('#username').fill('alice');
  await page.locator('#password').fill('wonderland');
  await keepScreenshot(page, 'keycloak-login');
  await page.locator('#kc-login').click();
  await page.getByText('Your user name').waitFor();
  await keepScreenshot(page, 'keycloak-consent');
  await page.locator('button[name=accept]').click();
  await page.locator('output:not(:empty)').waitFor();
  expect(await page.locator('output').textContent()).toBe('called: [{"type":"text","text":"Echo: hello from a page"}]');
});

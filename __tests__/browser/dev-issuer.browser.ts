import { expect, test } from 'vitest';
import { serveBrowserClient } from '../support/browser-client.js';
import { keepScreenshot, startChromium } from '../support/chromium.js';
import { startDevGateway } from '../support/dev-gateway.js';
import { gatewayFolderForTests } from '../support/gateway-folder.js';

const folder = gatewayFolderForTests();

test('a client in a page logs in at the development issuer with one click', async () => {
  const { resource } = await startDevGateway(folder);
  const page = await (await startChromium()).newPage({ viewport: { width: 320, height: 480 } });
  await page.goto(await serveBrowserClient(resource));
  const button = page.getByRole('button', { name: 'Log in as developer' });
  await button.waitFor();
  await keepScreenshot(page, 'dev-issuer-320');
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
  await button.click();
  await page.locator('output:not(:empty)').waitFor();
  expect(await page.locator('output').textContent()).toBe('called: [{"type":"text","text":"Echo: hello from a page"}]');
});

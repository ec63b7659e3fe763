import { expect, test } from 'vitest';
import { serveBrowserClient } from '../support/browser-client.js';
import { keepScreenshot, startChromium } from '../support/chromium.js';
import { serve } from '../support/loopback-server.js';
import { registerClient } from '../support/oauth-proxy-client.js';
import { startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';

test('a client in a page of another origin needs consent, logs in, and calls a tool', async () => {
  const flow = await startOAuthProxyFlow('entra');
  const page = await (await startChromium()).newPage();
  await page.goto(await serveBrowserClient(flow.guarded.resource));
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.locator('input[name=username]').fill('alice');
  await page.locator('input[name=username]').press('Enter');
  await page.locator('output:not(:empty)').waitFor();
  expect(await page.locator('output').textContent()).toBe(
    'called: [{"type":"text","text":"{\\"scopes\\":[\\"mcp.read\\"]}"}]',
  );

  await page.evaluate("sessionStorage.removeItem('tokens')");
  await page.goto(new URL('/page', page.url()).href);
  await page.locator('input[name=username]').waitFor();
});

test('Deny returns to the client', async () => {
  const flow = await startOAuthProxyFlow('entra');
  const page = await (await startChromium()).newPage();
  await page.goto(await serveBrowserClient(flow.guarded.resource));
  await page.getByRole('button', { name: 'Deny' }).click();
  await page.locator('output:not(:empty)').waitFor();
  expect(await page.locator('output').textContent()).toContain('The user has denied the request');
});

test.each([
  ['light', 320],
  ['dark', 320],
  ['light', 1024],
  ['dark', 1024],
] as const)('the consent page, %s, %d pixels wide', async (colorScheme, width) => {
  const flow = await startOAuthProxyFlow('entra');
  const redirect_uris = ['https://a-client-with-quite-a-long-host-name.region-1.applications.example/oauth/callback'];
  const client = await registerClient(flow, {
    client_name: 'Änglamark’s <b>Assistant</b> for Engineering Teams',
    redirect_uris,
  });
  const page = await (await startChromium()).newPage({ colorScheme, viewport: { width, height: 640 } });
  const scope = 'mcp.read openid offline_access https://graph.microsoft.example/Directory.AccessAsUser.All';
  await page.goto(client.authorizationUrl({ redirect_uri: redirect_uris[0], scope }));
  await keepScreenshot(page, `consent-${colorScheme}-${width}`);

  expect(await page.locator('h1').textContent()).toContain('Änglamark’s <b>Assistant</b>');
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  const styleOf = (name: string) => page.evaluate<string>(`getComputedStyle(document.body).${name}`);
  expect(contrast(await styleOf('color'), await styleOf('backgroundColor'))).toBeGreaterThan(7);
  for (const name of ['Deny', 'Allow']) {
    const box = await page.getByRole('button', { name }).boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(44);
  }
});

test('a refusal is readable too', async () => {
  const flow = await startOAuthProxyFlow('entra');
  const page = await (await startChromium()).newPage({ viewport: { width: 320, height: 480 } });
  await page.goto(`${flow.base}/authorize?client_id=unknown`);
  await keepScreenshot(page, 'refusal-320');
  expect(await page.getByRole('heading').textContent()).toBe('This login cannot continue');
});

test('the page cannot be framed', async () => {
  const flow = await startOAuthProxyFlow('entra');
  const client = await registerClient(flow);
  const other = await serve((_req, res) => {
    res
      .setHeader('content-type', 'text/html')
      .end(`<iframe src="${client.authorizationUrl().replaceAll('&', '&amp;')}">`);
  });
  const page = await (await startChromium()).newPage();
  await page.goto(other);
  const frame = await page.locator('iframe').elementHandle();
  await expect.poll(async () => (await frame?.contentFrame())?.url()).toMatch(/^chrome-error:/);
});

/** WCAG 2.2, relative luminance. */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/\d+/g) ?? []).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

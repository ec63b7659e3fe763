import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import {
  callWithExpiredTokens,
  openAdminPage,
  startWatchedGateway,
  type WatchedGateway,
} from '../support/admin-page.js';
import { keepScreenshot } from '../support/chromium.js';
import { gatewayFolderForTests } from '../support/gateway-folder.js';
import { type SdkUser, userOfV1 } from '../support/sdk-users.js';

const MARKUP = '<img src=x onerror="document.title=\'run\'">';
const VIEWS = ['overview', 'live', 'sessions', 'callers', 'tools', 'configuration'];

const folder = gatewayFolderForTests();
let gateway: WatchedGateway;
let user: SdkUser;
beforeAll(async () => {
  gateway = await startWatchedGateway(folder);
  const authorization = `Bearer ${folder.token({ sub: MARKUP, clientId: `${MARKUP}\u202e` })}`;
  user = await userOfV1(gateway.resource, 'markup', { authorization });
  await user.call('echo', { message: 'hello' });
  await user.call(MARKUP, {});
  await user.call('\u202eevil', {});
  await callWithExpiredTokens(folder, gateway, `${MARKUP} and quite a long name, as identity providers make them`);
});

/** Shows a view, and waits until it is filled: its content comes from the server. */
async function showView(page: Page, view: string): Promise<void> {
  await page.goto(`${gateway.ui}#/${view}`);
  await page.locator(`nav a[href="#/${view}"][aria-current]`).waitFor();
  if (view === 'overview') await page.getByRole('button', { name: 'Run the doctor' }).waitFor();
  if (view === 'tools') await callTool(page);
  await page.locator('main', { hasText: view === 'configuration' ? 'mcpAuthentication' : MARKUP }).waitFor();
}

/** Lists the tools and calls one, as a user with HTML for a name. */
async function callTool(page: Page): Promise<void> {
  await page.getByLabel('Access token or API key').fill(folder.token({ sub: MARKUP }));
  await page.getByRole('button', { name: 'List the tools' }).click();
  await page.locator('.tool-choice').nth(1).click();
  await page.locator('.field textarea').fill(MARKUP);
  await page.getByRole('button', { name: 'Call the tool' }).click();
  await page.getByRole('heading', { name: 'The tool answered' }).waitFor();
}

test.each([
  ['light', 360],
  ['dark', 360],
  ['light', 1280],
  ['dark', 1280],
] as const)('every view, %s, %d pixels wide, is readable and fits', async (colorScheme, width) => {
  const page = await openAdminPage(gateway, 'overview', { colorScheme, viewport: { width, height: 800 } });
  for (const view of VIEWS) {
    await showView(page, view);
    if (view === 'overview') await page.getByRole('button', { name: 'Run the doctor' }).click();
    if (view === 'overview') await page.locator('.findings li').first().waitFor();
    await keepScreenshot(page, `admin-${view}-${colorScheme}-${width}`);
    expect(await page.evaluate('document.documentElement.scrollWidth'), view).toBeLessThanOrEqual(width);
    expect(await page.evaluate(FAINT_TEXTS), view).toEqual([]);
  }
});

/** The texts whose contrast with their background is below 4.5 (WCAG 2.2, level AA). */
const FAINT_TEXTS = `(() => {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const channels = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backgroundOf = (element) => {
    if (element === null) return getComputedStyle(document.body).backgroundColor;
    const { backgroundColor } = getComputedStyle(element);
    return channels(backgroundColor)[3] === 255 ? backgroundColor : backgroundOf(element.parentElement);
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
  return [...document.querySelectorAll('body *')].filter(hasText).filter((element) => element.checkVisibility()).flatMap((element) => {
    const [light, dark] = [luminance(getComputedStyle(element).color), luminance(backgroundOf(element))].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    return contrast < 4.5 ? [element.className + ' ' + element.textContent.slice(0, 40) + ': ' + contrast.toFixed(2)] : [];
  });
})()`;

test('names of tools, users and clients that are HTML, or change the direction of writing, stay text', async () => {
  const page = await openAdminPage(gateway, 'live');
  for (const view of VIEWS) {
    await showView(page, view);
    if (view === 'live') for (const row of await page.locator('.entry summary').all()) await row.press('Enter');
    expect(await page.locator('img').count(), view).toBe(0);
    expect(await page.title(), view).toContain('express-mcp-auth');
    expect(await page.locator('main').textContent(), view).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  }
});

/** Presses Tab until the element with this text has the focus. Each element on the way must show that it has it. */
async function tabTo(page: Page, text: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate<{ text: string; outline: number; isVisible: boolean }>(FOCUSED);
    expect(focused.isVisible && focused.outline >= 2, focused.text.slice(0, 80)).toBe(true);
    if (focused.text.includes(text)) return;
  }
  throw new Error(`no Tab leads to ${text}`);
}

const FOCUSED = `(() => {
  const { activeElement: element } = document;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const { top, bottom, width } = element.getBoundingClientRect();
  return {
    text: element.id || (element.getAttribute('aria-label') ?? element.textContent),
    outline: outlineStyle === 'none' ? 0 : Number.parseFloat(outlineWidth),
    isVisible: width > 0 && bottom > 0 && top < innerHeight,
  };
})()`;

test('everything is reached with the keyboard alone', async () => {
  const other = await userOfV1(gateway.resource, 'keys', {
    authorization: `Bearer ${folder.token({ sub: 'keyboard' })}`,
  });
  const page = await openAdminPage(gateway, 'overview', { viewport: { width: 1280, height: 800 } });
  // The latest problems and the routes come in later, and would move the focused element out of the window.
  await page.locator('.entry').first().waitFor();
  await page.getByRole('link', { name: 'Try its tools' }).waitFor();
  await tabTo(page, 'Skip to the content');
  await page.keyboard.press('Enter');
  expect(await page.evaluate('document.activeElement.localName')).toBe('h1');
  await tabTo(page, 'Try its tools');

  await page.reload();
  await tabTo(page, 'Live');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Live' }).waitFor();
  await page.locator('.entry', { hasText: 'Login refused' }).first().waitFor();
  await tabTo(page, 'filter-outcome');
  await page.keyboard.press('P');
  await tabTo(page, 'Login refused');
  // The latest refusal is open from the beginning.
  const open = page.locator('.entry details[open]');
  for (const count of [0, 1]) {
    await page.keyboard.press('Enter');
    await expect.poll(() => open.count()).toBe(count);
  }

  await showView(page, 'sessions');
  await tabTo(page, 'End the session of keyboard');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Cancel');
  await tabTo(page, 'End the session');
  await page.keyboard.press('Enter');
  await page.getByText('The session of keyboard has ended.').waitFor();
  await expect.poll(() => page.evaluate('document.activeElement.localName')).toBe('h1');
  await expect(other.tools()).rejects.toThrow(/session/i);
});

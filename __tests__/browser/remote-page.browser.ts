import type { Browser } from 'playwright-core';
import { expect, test } from 'vitest';
import { startChromium } from '../support/chromium.js';
import { serveRemote } from '../support/http-backend.js';
import { startTarget } from '../support/recording-target.js';

const SCRIPT = 'document.title = "its script ran"';
const HTML = `<!doctype html><html><body><script>${SCRIPT}</script></body></html>`;
const XML = `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><script>${SCRIPT}</script></body></html>`;

/** Opens an address as a user does who follows a link. Resolves to the title of the page. */
async function titleOf(browser: Browser, url: string): Promise<string> {
  const page = await browser.newPage();
  // An answer that the browser only saves opens no page.
  await page.goto(url).catch(() => undefined);
  return page.title();
}

/** A target that answers with a page, and its address behind the backend. */
async function startPage(type: string | undefined) {
  const target = await startTarget((_req, res) => {
    res.writeHead(200, type === undefined ? {} : { 'content-type': type }).end(type?.includes('xml') ? XML : HTML);
  });
  return { target: target.url, url: (await serveRemote(target.url, {}, { policy: null })).url };
}

test.each(['text/html', undefined, 'application/xhtml+xml', 'application/json, text/html'])(
  'a browser runs no script that a remote server sends as %s',
  async (type) => {
    const browser = await startChromium();
    const { target, url } = await startPage(type);
    expect(await titleOf(browser, target)).toBe('its script ran');
    expect(await titleOf(browser, url)).not.toBe('its script ran');
  },
);

test.each(['application/json', 'text/event-stream', 'text/plain'])(
  'a browser runs no script in an answer of type %s, which stays as it is',
  async (type) => {
    const browser = await startChromium();
    expect(await titleOf(browser, (await startPage(type)).url)).not.toBe('its script ran');
  },
);

import { fileURLToPath } from 'node:url';
import express, { type RequestHandler } from 'express';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { mcpAuth, mcpCors, mcpStdioBackend } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serveBrowserClient } from '../support/browser-client.js';
import { startChromium } from '../support/chromium.js';
import { serve } from '../support/loopback-server.js';
import { startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';

const NOTES = fileURLToPath(new URL('../fixtures/notes-server.mjs', import.meta.url));

/** Runs in the page: reads the session's id, calls a tool, ends the session, and uses its id once more. */
const OPEN_AND_END_A_SESSION = `
  const session = transport.sessionId;
  const { content } = await client.callTool({ name: 'echo' });
  await transport.terminateSession();
  const headers = { authorization: 'Bearer ' + JSON.parse(sessionStorage.tokens).access_token,
    'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-session-id': session };
  const again = await fetch(server, { method: 'POST', headers, body: '{"jsonrpc":"2.0","id":9,"method":"ping"}' });
  show(JSON.stringify({ session: typeof session, text: content[0].text, afterwards: again.status }));
`;

/** The refusal of a server that asks for a token, as a page of `address` sees it. */
async function refusalSeenFrom(page: Page, address: string, server: string) {
  await page.goto(new URL('/node_modules/zod/package.json', address).href);
  return page.evaluate(async (url) => {
    const headers = { 'content-type': 'application/json', 'mcp-protocol-version': '2025-11-25' };
    try {
      const response = await fetch(url, { method: 'POST', headers, body: '{}' });
      return { status: response.status, challenge: response.headers.get('www-authenticate') };
    } catch (error) {
      return (error as Error).name;
    }
  }, server);
}

test('a page of another origin reads the challenge, logs in, and opens, uses and ends a session', async () => {
  const backend = mcpStdioBackend({ command: process.execPath, args: [NOTES, '--stdio'] });
  onTestFinished(() => backend.close());
  const { guarded } = await startOAuthProxyFlow('entra', 'entra', {}, backend as RequestHandler);
  const page = await (await startChromium()).newPage();
  const address = await serveBrowserClient(guarded.resource, OPEN_AND_END_A_SESSION);

  expect(await refusalSeenFrom(page, address, guarded.resource)).toEqual({
    status: 401,
    challenge: expect.stringContaining(
      `resource_metadata="${guarded.origin}/.well-known/oauth-protected-resource/mcp"`,
    ),
  });

  await page.goto(address);
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.locator('input[name=username]').fill('alice');
  await page.locator('input[name=username]').press('Enter');
  await page.locator('output:not(:empty)').waitFor();
  const shown = JSON.parse((await page.locator('output').textContent()) ?? '');
  expect(shown).toEqual({ session: 'string', text: 'echo for anonymous', afterwards: 404 });
  expect(backend.stats().sessions).toBe(0);
});

test.each([
  ['an origin that is not listed', mcpCors({ allowedOrigins: ['https://app.example.com'] }), 'TypeError'],
  ['no origin at all', mcpCors({ allowedOrigins: [] }), 'TypeError'],
  ['a challenge that is not exposed', mcpCors({ exposedHeaders: [] }), { status: 401, challenge: null }],
  [
    'any port of this host',
    mcpCors({ allowedOrigins: ['http://127.0.0.1:*'] }),
    { status: 401, challenge: expect.stringMatching(/^Bearer resource_metadata=/) },
  ],
] as const)('with %s, a page sees the expected refusal', async (_what, cors, seen) => {
  const policy = createTestIssuer().policy({ resource: 'https://mcp.example/mcp' });
  const server = await serve(express().use(cors, mcpAuth(policy)));
  const page = await (await startChromium()).newPage();
  expect(await refusalSeenFrom(page, await serveBrowserClient(server), `${server}/mcp`)).toEqual(seen);
});

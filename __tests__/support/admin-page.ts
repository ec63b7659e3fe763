import type { BrowserContextOptions, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { startChromium } from './chromium.js';
import { configText } from './config-text.js';
import { AUTHENTICATION, type GatewayFolder } from './gateway-folder.js';
import { freePort } from './loopback-server.js';
import { CLI, type Program, startNode } from './program.js';
import { fixture, NODE } from './stdio-bridge.js';

/** The command with an admin page, in front of a server whose names are HTML. */
export interface WatchedGateway {
  readonly program: Program;
  /** The MCP server, behind a login. */
  readonly resource: string;
  /** The address of the page. */
  readonly ui: string;
  /** Starts it again, on the same ports. */
  restart(): Promise<void>;
}

/** Starts the command with this mode of `mcpAuthentication`, and these further arguments. */
export async function startWatchedGateway(
  folder: GatewayFolder,
  mode = 'strict',
  args: readonly string[] = [],
): Promise<WatchedGateway> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const resource = `http://127.0.0.1:${port}/mcp`;
  const mcpAuthentication = { ...AUTHENTICATION, mode, resourceMetadata: { resource } };
  const stdio = { cmd: NODE, args: [fixture('markup-server.mjs')] };
  const route = { policies: { mcpAuthentication }, backends: [{ mcp: { targets: [{ name: 'markup', stdio }] } }] };
  const file = await folder.write(`${port}.yaml`, configText({ bind: { port }, route }));
  const start = async () => {
    const program = startNode([CLI, '-f', file, '--host', '127.0.0.1', '--admin', `127.0.0.1:${adminPort}`, ...args]);
    await program.says(/Admin UI available/);
    return program;
  };
  const watched = {
    program: await start(),
    resource,
    ui: `http://127.0.0.1:${adminPort}/ui/`,
    async restart() {
      watched.program = await start();
    },
  };
  return watched;
}

/** Sends requests of this user whose token has expired. */
export async function callWithExpiredTokens(
  folder: GatewayFolder,
  { resource }: Pick<WatchedGateway, 'resource'>,
  sub: string,
  count = 1,
): Promise<void> {
  const authorization = `Bearer ${folder.token({ sub, expiresInSeconds: -86_400 })}`;
  const headers = { authorization, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  await Promise.all(Array.from({ length: count }, () => fetch(resource, { method: 'POST', headers, body })));
}

/**
 * Opens a view of the page, such as `live`, and waits for its events. When the test ends, the page must have asked no other origin, and
 * the browser must have reported no error and no violation of the Content-Security-Policy.
 *
 * @param expected Messages in the console that the test causes.
 */
export async function openAdminPage(
  { ui }: Pick<WatchedGateway, 'ui'>,
  view: string,
  options: BrowserContextOptions = {},
  expected = /^$/,
): Promise<Page> {
  const page = await (await startChromium()).newPage(options);
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== 'data:' && origin !== new URL(ui).origin) complaints.push(`asked ${request.url()}`);
  });
  onTestFinished(() => expect(complaints.filter((complaint) => !expected.test(complaint))).toEqual([]));
  await page.goto(`${ui}#/${view}`);
  await page.locator('.connection.good').waitFor();
  return page;
}

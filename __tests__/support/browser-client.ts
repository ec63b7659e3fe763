import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { normalize } from 'node:path';
import { serve } from './loopback-server.js';
import { ROOT } from './program.js';

const MODULES = {
  '@modelcontextprotocol/client': '@modelcontextprotocol/client/dist/index.mjs',
  '@modelcontextprotocol/client/_shims': '@modelcontextprotocol/client/dist/shimsBrowser.mjs',
  '@modelcontextprotocol/core': '@modelcontextprotocol/core/dist/index.mjs',
  '@modelcontextprotocol/core/internal': '@modelcontextprotocol/core/dist/internal.mjs',
  eventsource: 'eventsource/dist/index.js',
  'eventsource-parser': 'eventsource-parser/dist/index.js',
  'eventsource-parser/stream': 'eventsource-parser/dist/stream.js',
  'pkce-challenge': 'pkce-challenge/dist/index.browser.js',
  jose: 'jose/dist/webapi/index.js',
  zod: 'zod/index.js',
  'zod/v4': 'zod/v4/index.js',
  'zod/': 'zod/',
};

/** Script that the page runs once it is connected. */
const CALL_A_TOOL = `
  const { tools } = await client.listTools();
  const [{ name }] = tools.filter(({ name }) => ['whoami', 'echo'].includes(name));
  const result = await client.callTool({ name, arguments: { message: 'hello from a page' } });
  show('called: ' + JSON.stringify(result.content));
`;

/** Uses the SDK's client, unbundled. It stores its state between two visits, and navigates to log in. */
const scriptFor = (once: string) => `
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
const server = new URL(new URL(location.href).searchParams.get('server') ?? sessionStorage.server);
sessionStorage.server = server.href;
const metadataUrl = new URL(location.href).searchParams.get('document') ?? sessionStorage.metadataUrl;
if (metadataUrl) sessionStorage.metadataUrl = metadataUrl;
const keep = (name) => (value) => { sessionStorage[name] = JSON.stringify(value); };
const read = (name) => () => sessionStorage[name] === undefined ? undefined : JSON.parse(sessionStorage[name]);
const redirectUrl = location.origin + '/page';
const authProvider = {
  redirectUrl, clientMetadataUrl: metadataUrl,
  clientMetadata: { client_name: 'A page', redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
  state: () => 'from-the-page',
  clientInformation: read('client'), saveClientInformation: keep('client'),
  tokens: read('tokens'), saveTokens: keep('tokens'),
  codeVerifier: read('verifier'), saveCodeVerifier: keep('verifier'),
  discoveryState: read('discovery'), saveDiscoveryState: keep('discovery'),
  redirectToAuthorization: (url) => { location.href = url.href; },
};
const show = (text) => { document.querySelector('output').textContent = text; };
try {
  const open = () => new StreamableHTTPClientTransport(server, { authProvider });
  const answer = new URLSearchParams(location.search);
  if (answer.has('code') || answer.has('error')) await open().finishAuth(answer);
  const client = new Client({ name: 'page', version: '1' });
  const transport = open();
  await client.connect(transport);
  ${once}
} catch (error) {
  if (error.name !== 'UnauthorizedError') show('failed: ' + error.name + ': ' + error.message);
}
`;

const pageFor = (once: string) => `<!doctype html><title>An MCP client in a page</title><output></output>
<script type="importmap">${JSON.stringify({
  imports: Object.fromEntries(Object.entries(MODULES).map(([name, file]) => [name, `/node_modules/${file}`])),
})}</script><script type="module">${scriptFor(once)}</script>`;

/**
 * Serves a page with an MCP client in it, on its own origin. Resolves to the page's URL for a server. With `&document=`, the page's client has
 * the metadata document at that URL.
 *
 * @param once Script to run when `client` is connected over `transport`; `show(text)` fills the page's output.
 */
export async function serveBrowserClient(server: string, once = CALL_A_TOOL): Promise<string> {
  const page = pageFor(once);
  const origin = await serve((req, res) => answer(req, res, page));
  return `${origin}/page?server=${encodeURIComponent(server)}`;
}

function answer(req: IncomingMessage, res: ServerResponse, page: string): void {
  const path = normalize(new URL(`http://page${req.url}`).pathname);
  if (!path.startsWith('/node_modules/')) {
    res.setHeader('content-type', 'text/html').end(page);
    return;
  }
  res.setHeader('content-type', 'text/javascript');
  createReadStream(ROOT + path)
    .on('error', () => res.writeHead(404).end())
    .pipe(res);
}

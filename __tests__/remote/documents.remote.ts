import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { allowing, type ServedDocument, serveClientDocument, startDocumentProxy } from '../support/client-documents.js';
import { freePort } from '../support/loopback-server.js';
import { atOidcServer, startOidcServer } from '../support/oidc-server.js';
import { endPrograms, startProgram } from '../support/program.js';
import { recordBytes } from '../support/remote-servers.js';
import { folderOfTest, inspector, LOGIN, loginWith, python, runOnce, spoilTokensIn, type Visit } from './clients.js';
import { GO_DOCUMENT_CLIENT, MCP_REMOTE } from './install.js';

afterAll(endPrograms);

const go = (visit: Visit) =>
  runOnce(({ url, document }) => startProgram(GO_DOCUMENT_CLIENT, [url, document as string]), visit);

/** Uses mcp-remote as a server over stdio, twice. The second time it has a token that is refused, and refreshes it. */
async function mcpRemote(visit: Visit): Promise<string> {
  const { url, document, folder, logIn } = visit;
  const port = `${await freePort()}`;
  const args = [MCP_REMOTE, url, port, '--client-metadata-url', document as string];
  const callTool = async (meanwhile: (written: () => string) => Promise<void>) => {
    const env = { PATH: folder, MCP_REMOTE_CONFIG_DIR: folder };
    const transport = new StdioClientTransport({ command: process.execPath, args, env, stderr: 'pipe' });
    let written = '';
    transport.stderr?.on('data', (chunk: Buffer) => {
      written += chunk;
    });
    const client = new Client({ name: 'test', version: '1' });
    onTestFinished(() => client.close());
    await Promise.all([client.connect(transport), meanwhile(() => written)]);
    const result = await client.callTool({ name: 'whoami' });
    await client.close();
    return { said: JSON.stringify(result), written };
  };
  await callTool(logIn);
  spoilTokensIn(folder);
  const { said, written } = await callTool(async () => undefined);
  expect(written).not.toMatch(LOGIN);
  return said;
}

/** Starts oidc-provider, the OAuth proxy in front of it, and a recorder in front of both. */
async function startRecordedProxy() {
  const port = await freePort();
  const recorded = await recordBytes(`http://127.0.0.1:${port}/mcp`);
  const issuer = await startOidcServer(() => recorded.url);
  const resourceMetadata = { resource: recorded.url, scopesSupported: ['mcp.read'] };
  const { program } = await startDocumentProxy({ issuer, provider: { standard: {} }, resourceMetadata }, port);
  return { ...recorded, warnings: () => program.stderr };
}

function expectIdentifiedByDocument(bytes: string, document: ServedDocument): void {
  expect(document.fetches).toBe(1);
  expect(bytes).toContain(`client_id=${encodeURIComponent(document.url)}`);
  expect(bytes).toContain('grant_type=refresh_token');
  expect(bytes).not.toContain('client-registration HTTP');
}

test.each([
  ['the MCP Python SDK', python('sdk-document-client.py')],
  ['FastMCP', python('fastmcp-login-client.py')],
  ['the MCP Go SDK', go],
  ['MCP Inspector', inspector],
  ['mcp-remote', mcpRemote],
])('%s logs in by its document, calls a tool, and refreshes', async (_name, run) => {
  const { url, bytes, warnings } = await startRecordedProxy();
  const document = await serveClientDocument({
    redirect_uris: ['http://127.0.0.1/callback', 'http://127.0.0.1/oauth/callback', 'http://localhost/oauth/callback'],
  });
  const { consents, fillIn } = allowing(atOidcServer);
  const said = await run({ url, document: document.url, folder: folderOfTest(), logIn: loginWith(fillIn) });
  expect(said).toContain('mcp.read');
  expect(consents).toEqual([expect.stringContaining(new URL(document.url).host)]);
  expectIdentifiedByDocument(bytes(), document);
  expect(warnings()).not.toContain('refused');
});

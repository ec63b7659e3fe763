import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { allowing, type ServedDocument, serveClientDocument, startDocumentProxy } from '../support/client-documents.js';
import { freePort } from '../support/loopback-server.js';
import { atOidcServer, startOidcServer } from '../support/oidc-server.js';
import { endPrograms, type Program, ROOT, startProgram, startTerminal } from '../support/program.js';
import { recordBytes } from '../support/remote-servers.js';
import { until } from '../support/until.js';
import { type FillIn, UserAgent } from '../support/user-agent.js';
import { GO_DOCUMENT_CLIENT, INSPECTOR, MCP_REMOTE, NEWEST_NODE, PYTHON } from './install.js';

afterAll(endPrograms);

const LOGIN = /http:\S+\/authorize\?\S+/;

/** The server and the document that a client is given, and a folder in which it may keep its tokens. */
interface Visit {
  readonly url: string;
  readonly document: string;
  readonly folder: string;
  /** Waits until a program writes where to log in, and logs in. */
  readonly logIn: (written: () => string) => Promise<void>;
}

/** Runs a program that logs in, uses its token, refreshes it, and ends. */
async function runOnce(start: (visit: Visit) => Program, visit: Visit): Promise<string> {
  const program = start(visit);
  await visit.logIn(() => program.stdout + program.stderr);
  expect(await program.ended, program.stderr).toBe(0);
  return program.stdout;
}

const python = (file: string) => (visit: Visit) =>
  runOnce(({ url, document }) => {
    const args = [`${ROOT}__tests__/remote/${file}`, url, document];
    return startProgram(PYTHON, args, { env: { BROWSER: 'echo %s' } });
  }, visit);

const go = (visit: Visit) => runOnce(({ url, document }) => startProgram(GO_DOCUMENT_CLIENT, [url, document]), visit);

/** Runs a program twice in a terminal, which it asks for. The second time it has a token that is refused, and refreshes it. */
async function runTwice(command: string, visit: Visit): Promise<string> {
  // Without other programs in its path it opens no browser.
  const start = () => startTerminal(`PATH=${visit.folder} ${command}`, { NO_COLOR: '1' });
  const program = start();
  await visit.logIn(() => program.stdout + program.stderr);
  expect(await program.ended, program.stdout).toBe(0);
  spoilTokensIn(visit.folder);
  const again = start();
  expect(await again.ended, again.stdout).toBe(0);
  expect(again.stdout).not.toMatch(LOGIN);
  return again.stdout;
}

async function inspector(visit: Visit): Promise<string> {
  const { url, document, folder } = visit;
  const storage = `MCP_STORAGE_DIR=${folder} MCP_INSPECTOR_SECRET_STORE=file MCP_AUTO_OPEN_ENABLED=false`;
  const callback = `http://127.0.0.1:${await freePort()}/oauth/callback`;
  const method = '--transport http --method tools/call --tool-name whoami';
  const client = `--client-metadata-url ${document} --callback-url ${callback}`;
  return await runTwice(`${storage} ${NEWEST_NODE} ${INSPECTOR} --cli ${url} ${method} ${client}`, visit);
}

/** Uses mcp-remote as a server over stdio, twice. The second time it has a token that is refused, and refreshes it. */
async function mcpRemote(visit: Visit): Promise<string> {
  const { url, document, folder, logIn } = visit;
  const port = `${await freePort()}`;
  const args = [MCP_REMOTE, url, port, '--client-metadata-url', document];
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

function spoilTokensIn(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.json'),
  )) {
    const file = join(folder, name);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/(access_token\\*": *\\*")/g, '$1spoilt.'));
  }
}

/** Resolves to the first match in what a program writes. */
async function found(pattern: RegExp, written: () => string): Promise<string> {
  const find = () => pattern.exec(written())?.[0];
  await until(() => find() !== undefined).catch(() => undefined);
  return find() ?? expect.fail(`it did not print ${pattern}:\n${written()}`);
}

/** Returns a function that logs in as a user does where a program says. */
const loginWith = (fillIn: FillIn) => async (written: () => string) => {
  const login = new URL(await found(LOGIN, written));
  const redirectUri = login.searchParams.get('redirect_uri') ?? '';
  const end = await new UserAgent().visit(login, fillIn, ({ href }) => href.startsWith(redirectUri));
  if (!(end instanceof URL)) throw new Error(`stopped at ${end.url} (${end.response.status}): ${end.html}`);
  await (await fetch(end)).text();
};

/** Starts oidc-provider, the OAuth proxy in front of it, and a recorder in front of both. */
async function startRecordedProxy() {
  const port = await freePort();
  const recorded = await recordBytes(`http://127.0.0.1:${port}/mcp`);
  const issuer = await startOidcServer(() => recorded.url);
  const resourceMetadata = { resource: recorded.url, scopesSupported: ['mcp.read'] };
  const { program } = await startDocumentProxy({ issuer, provider: { standard: {} }, resourceMetadata }, port);
  return { ...recorded, warnings: () => program.stderr };
}

function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'document-client-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function expectIdentifiedByDocument(bytes: string, document: ServedDocument): void {
  expect(document.fetches).toBe(1);
  expect(bytes).toContain(`client_id=${encodeURIComponent(document.url)}`);
  expect(bytes).toContain('grant_type=refresh_token');
  expect(bytes).not.toContain('client-registration HTTP');
}

test.each([
  ['the MCP Python SDK', python('sdk-document-client.py')],
  ['FastMCP', python('fastmcp-document-client.py')],
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

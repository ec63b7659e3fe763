import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { SERVER } from './certificates.js';
import type { IdentityHosts } from './identity-hosts.js';
import { listen, originOf, stop } from './loopback-server.js';
import { ClientMemory, logIn, type Sdk } from './mcp-login.js';
import { type Program, ROOT, startNode } from './program.js';
import type { FillIn } from './user-agent.js';

/** A client metadata document, served over TLS on loopback. Its URL is the client id. */
export interface ServedDocument {
  readonly url: string;
  /** The content that is served. A test can change it. */
  members: Record<string, unknown>;
  /** The number of times that it was fetched. */
  readonly fetches: number;
  /** Ends its server. */
  close(): Promise<void>;
}

/** Serves a metadata document of a client until the test ends. `members` replace those of the document. */
export async function serveClientDocument(
  members: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<ServedDocument> {
  let fetches = 0;
  const server = createServer(SERVER, (req, res) => {
    if (req.url !== '/client.json') return void res.writeHead(404).end();
    fetches++;
    res.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(served.members));
  });
  await listen(server);
  onTestFinished(() => stop(server));
  const url = `${originOf(server).replace('http:', 'https:')}/client.json`;
  const { clientMetadata } = new ClientMemory();
  const served = {
    url,
    members: { client_id: url, ...clientMetadata, ...members },
    get fetches() {
      return fetches;
    },
    close: () => stop(server),
  };
  return served;
}

/** The environment of a process that trusts the certificate of these documents. */
export function trustingDocuments(): { NODE_EXTRA_CA_CERTS: string } {
  const folder = mkdtempSync(join(tmpdir(), 'documents-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'authority.pem');
  writeFileSync(file, SERVER.cert);
  return { NODE_EXTRA_CA_CERTS: file };
}

/** The storage of a client that has a metadata document, and registers only where servers do not accept that. */
export class DocumentedMemory extends ClientMemory {
  readonly clientMetadataUrl: string;

  constructor({ url }: ServedDocument, metadata?: Record<string, unknown>) {
    super(metadata);
    this.clientMetadataUrl = url;
  }
}

/** An MCP server behind the OAuth proxy, in a process that trusts these documents. */
export interface DocumentProxy {
  readonly resource: string;
  /** The URL of the OAuth proxy's metadata. The endpoints are below it. */
  readonly base: string;
  readonly program: Program;
}

/**
 * Starts `fixtures/document-proxy.mjs` with this policy, to which the resource is added.
 *
 * @param hosts Those of an identity provider that it reaches by their own names.
 */
export async function startDocumentProxy(policy: object, port = 0, hosts?: IdentityHosts): Promise<DocumentProxy> {
  const fixtures = `${ROOT}__tests__/fixtures`;
  const args = [`${fixtures}/document-proxy.mjs`, JSON.stringify(policy), `${port}`];
  const preload = hosts === undefined ? [] : ['--import', `${fixtures}/identity-hosts.mjs`];
  const program = startNode([...preload, ...args], { env: { ...trustingDocuments(), ...hosts?.env } });
  onTestFinished(async () => void (await program.stop()));
  const [resource] = await program.says(/^http:\S+$/m);
  return { resource, base: resource.replace('/mcp', '/.well-known/oauth-authorization-server/mcp'), program };
}

/** Keeps our consent pages, which it allows. On all other pages it does what `fillIn` does. */
export function allowing(fillIn: FillIn): { readonly consents: string[]; readonly fillIn: FillIn } {
  const consents: string[] = [];
  return {
    consents,
    fillIn(fields, page) {
      if (!('request' in fields)) return fillIn(fields, page);
      consents.push(page.html);
      return { decision: 'allow' };
    },
  };
}

/**
 * Logs in by a document, which it serves, calls a tool, refreshes, and calls it again. The user must be asked once, with the document's
 * host.
 */
export async function expectDocumentLogin(
  sdk: Sdk,
  { resource }: Pick<DocumentProxy, 'resource'>,
  atServer: FillIn,
  { tool = 'whoami', args = {} }: { tool?: string; args?: Record<string, unknown> } = {},
): Promise<void> {
  const document = await serveClientDocument();
  const memory = new DocumentedMemory(document);
  const { consents, fillIn } = allowing(atServer);
  const client = await logIn(sdk, resource, fillIn, { memory });
  onTestFinished(() => client.close());
  expect(memory.registered).toMatchObject({ client_id: document.url });
  expect(consents).toEqual([expect.stringContaining(new URL(document.url).host)]);
  expect(client.callback.searchParams.get('iss')).toBe(resource);
  expect(await client.callTool(tool, args)).toMatchObject({ content: [{ type: 'text' }] });
  const before = memory.savedTokens;
  memory.spoilAccessToken();
  expect(await client.callTool(tool, args)).toMatchObject({ content: [{ type: 'text' }] });
  expect(memory.savedTokens?.access_token).toMatch(/^(ey|emat_)/);
  expect(memory.savedTokens?.access_token).not.toBe(before?.access_token);
  expect(document.fetches).toBe(1);
}

import { randomUUID } from 'node:crypto';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { McpServer as McpServerV2 } from '@modelcontextprotocol/server';
import type { RequestHandler } from 'express';
import { onTestFinished } from 'vitest';
import {
  type AuthInfo,
  getUpstreamToken,
  type Logger,
  mcpBackend,
  mcpHttpBackend,
  mcpStdioBackend,
} from '../../src/index.js';
import { serve } from './loopback-server.js';
import { recordBytes, startRemote } from './remote-servers.js';
import { fixture, NODE } from './stdio-bridge.js';

const API = 'https://api.github.com';
const SERVER = fixture('repositories-server.mjs');

/** An MCP server whose tool lists the user's own repositories at the imitation of GitHub. */
export interface RepositoryServer {
  readonly handler: RequestHandler;
  readonly tool: string;
  /** The output of other programs, which the lines of the app's logger do not have. */
  readonly log: () => string;
  /** The bytes that a remote server got. */
  readonly bytes: () => string;
}

const nothing = () => '';

async function listRepositories(caller: Parameters<typeof getUpstreamToken>[0]) {
  const headers = { authorization: `Bearer ${await getUpstreamToken(caller)}`, 'user-agent': 'a tool' };
  const response = await fetch(`${API}/user/repos`, { headers });
  return { content: [{ type: 'text' as const, text: await response.text() }] };
}

const DESCRIPTION = { description: 'Lists your repositories' };

async function inSdkV1(): Promise<RepositoryServer> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const handler: RequestHandler = async (req, res) => {
    let transport = transports.get(String(req.headers['mcp-session-id']));
    if (transport === undefined) {
      const server = new McpServerV1({ name: 'repositories', version: '1' });
      server.registerTool('list_repositories', DESCRIPTION, ({ authInfo }) => listRepositories(authInfo));
      const onsessioninitialized = (id: string) => void transports.set(id, fresh);
      const fresh = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized });
      await server.connect(fresh as never);
      transport = fresh;
    }
    await transport.handleRequest(req as never, res);
  };
  return { handler, tool: 'list_repositories', log: nothing, bytes: nothing };
}

async function inSdkV2(): Promise<RepositoryServer> {
  const transports = new Map<string, NodeStreamableHTTPServerTransport>();
  const handler: RequestHandler = async (req, res) => {
    let transport = transports.get(String(req.headers['mcp-session-id']));
    if (transport === undefined) {
      const server = new McpServerV2({ name: 'repositories', version: '1' });
      server.registerTool('list_repositories', DESCRIPTION, ({ http }) => listRepositories(http?.authInfo));
      const onsessioninitialized = (id: string) => void transports.set(id, fresh);
      const fresh = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized });
      await server.connect(fresh);
      transport = fresh;
    }
    await transport.handleRequest(req as never, res);
  };
  return { handler, tool: 'list_repositories', log: nothing, bytes: nothing };
}

/** Serves the API to other processes, which do not reach it by its name. */
function serveApi(): Promise<string> {
  return serve(async (req, res) => {
    const headers = { authorization: req.headers.authorization ?? '', 'user-agent': 'a tool' };
    const response = await fetch(API + req.url, { headers });
    res.writeHead(response.status).end(await response.text());
  });
}

const child = (api: string) => ({
  command: NODE,
  args: [SERVER, '--stdio'],
  env: async (auth: AuthInfo | undefined) => ({ API_URL: api, USER_TOKEN: await getUpstreamToken(auth) }),
});

const headers = async (auth: AuthInfo | undefined) => ({ 'x-user-token': await getUpstreamToken(auth) });

async function startRemoteTarget(api: string) {
  const { url, program } = await startRemote(NODE, [SERVER], { API_URL: api });
  const recorded = await recordBytes(url);
  return { url: recorded.url, bytes: recorded.bytes, log: () => program.stdout + program.stderr };
}

function closing<Backend extends { close(): Promise<void> }>(backend: Backend): RequestHandler {
  onTestFinished(() => backend.close());
  return backend as unknown as RequestHandler;
}

async function behindStdio(logger: Logger): Promise<RepositoryServer> {
  const handler = closing(mcpStdioBackend({ ...child(await serveApi()), logger }));
  return { handler, tool: 'list_repositories', log: nothing, bytes: nothing };
}

async function behindHttp(logger: Logger): Promise<RepositoryServer> {
  const { url, log, bytes } = await startRemoteTarget(await serveApi());
  return { handler: closing(mcpHttpBackend({ url, headers, logger })), tool: 'list_repositories', log, bytes };
}

/** Two targets, of which one is asked. */
const behindSeveral = (asked: 'stdio' | 'remote') => async (logger: Logger) => {
  const api = await serveApi();
  const { url, log, bytes } = await startRemoteTarget(api);
  const handler = closing(mcpBackend({ targets: { stdio: child(api), remote: { url, headers } }, logger }));
  return { handler, tool: `${asked}_list_repositories`, log, bytes };
};

export const REPOSITORY_SERVERS: readonly [name: string, start: (logger: Logger) => Promise<RepositoryServer>][] = [
  ['SDK v1 in Express', inSdkV1],
  ['SDK v2 in Express', inSdkV2],
  ['the stdio bridge', behindStdio],
  ['a remote target', behindHttp],
  ['several targets, the one over stdio', behindSeveral('stdio')],
  ['several targets, the remote one', behindSeveral('remote')],
];

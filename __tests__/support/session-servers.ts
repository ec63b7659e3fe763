import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type ClientOptions,
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { McpServer as ServerV2 } from '@modelcontextprotocol/server';
import type { Middleware } from '../../src/index.js';
import type { Sdk } from './mcp-login.js';

const INFO = { name: 'session-server', version: '1' };
const DONE = { content: [{ type: 'text' as const, text: 'done' }] };
const STEPS = [1, 2, 3];

type Transport = Pick<StreamableHTTPServerTransport, 'handleRequest'>;

/** `work` sends progress to the request, and one message to the stream of its session. */
async function createV1Transport(remember: (id: string, transport: Transport) => void): Promise<Transport> {
  const server = new ServerV1(INFO, { capabilities: { logging: {} } });
  server.registerTool('work', {}, async ({ _meta, sendNotification, sessionId }) => {
    const progressToken = _meta?.progressToken ?? '';
    for (const progress of STEPS)
      await sendNotification({ method: 'notifications/progress', params: { progressToken, progress } });
    await server.sendLoggingMessage({ level: 'error', data: sessionId });
    return DONE;
  });
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => remember(id, transport),
  });
  await server.connect(transport as never);
  return transport;
}

async function createV2Transport(remember: (id: string, transport: Transport) => void): Promise<Transport> {
  const server = new ServerV2(INFO, { capabilities: { logging: {} } });
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => remember(id, transport as unknown as Transport),
  });
  server.registerTool('work', {}, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken ?? '';
    for (const progress of STEPS)
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress } });
    await server.server.notification({
      method: 'notifications/message',
      params: { level: 'error', data: transport.sessionId },
    });
    return DONE;
  });
  await server.connect(transport);
  return transport as unknown as Transport;
}

/** An MCP server as the SDKs' documentation has it, one transport for each session. It trusts everyone who knows an id. */
export function createSdkServer(sdk: Sdk) {
  const transports = new Map<string, Transport>();
  const create = sdk === 'v1' ? createV1Transport : createV2Transport;
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const id = req.headers['mcp-session-id']?.toString();
    const transport =
      id === undefined ? await create((name, fresh) => void transports.set(name, fresh)) : transports.get(id);
    if (transport === undefined) res.writeHead(404).end();
    else await transport.handleRequest(req as never, res);
  };
  const handle: Middleware = (req, res, next) => void serve(req, res).catch(next);
  return { handle, transports };
}

/** A user of one SDK's client, with what its session was sent. */
export interface SessionUser {
  /** As the client has it. */
  readonly sessionId: string | undefined;
  /** The own ids of the sessions whose messages came. */
  readonly messages: unknown[];
  /** Calls `work`; resolves to the steps that its progress said. */
  work(): Promise<number[]>;
  /** Ends the session. */
  end(): Promise<void>;
  close(): Promise<void>;
}

/** `auto`: the client of SDK v2 that asks first whether the server speaks a revision without sessions. */
export async function connectUser(
  sdk: Sdk | 'auto',
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<SessionUser> {
  if (sdk === 'v1') return connectV1(url, headers);
  return connectV2(url, headers, sdk === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {});
}

async function connectV1(url: string, headers: Readonly<Record<string, string>>): Promise<SessionUser> {
  const client = new ClientV1(INFO);
  const messages: unknown[] = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void messages.push(params.data));
  const transport = new TransportV1(new URL(url), { requestInit: { headers } });
  await client.connect(transport as never);
  return {
    get sessionId() {
      return transport.sessionId;
    },
    messages,
    async work() {
      const steps: number[] = [];
      const onprogress = ({ progress }: { progress: number }) => void steps.push(progress);
      await client.callTool({ name: 'work', arguments: {} }, undefined, { onprogress });
      return steps;
    },
    end: () => transport.terminateSession(),
    close: () => client.close(),
  };
}

async function connectV2(
  url: string,
  headers: Readonly<Record<string, string>>,
  options: ClientOptions,
): Promise<SessionUser> {
  const client = new ClientV2(INFO, options);
  const messages: unknown[] = [];
  client.setNotificationHandler('notifications/message', ({ params }) => void messages.push(params.data));
  const transport = new TransportV2(new URL(url), { requestInit: { headers } });
  await client.connect(transport);
  return {
    get sessionId() {
      return transport.sessionId;
    },
    messages,
    async work() {
      const steps: number[] = [];
      await client.callTool(
        { name: 'work', arguments: {} },
        { onprogress: ({ progress }) => void steps.push(progress) },
      );
      return steps;
    },
    end: () => transport.terminateSession(),
    close: () => client.close(),
  };
}

import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryEventStore } from '@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { describe, expect, test } from 'vitest';
import { type ServedRemote, serveRemote } from '../support/http-backend.js';
import { eventsOf, nextMessage } from '../support/mcp-answers.js';
import { call, type Headers, open, post } from '../support/mcp-requests.js';
import { type RecordingTarget, startTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

interface Resumable extends RecordingTarget {
  /** Lets the tool answer. */
  finish(): void;
  /** The sessions that are open. */
  readonly sessions: ReadonlyMap<string, unknown>;
  readonly resumptions: string[];
}

/** A server of SDK v1 with sessions, each with an event store, and a tool that answers when it is told to. */
async function startResumable(): Promise<Resumable> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const resumptions: string[] = [];
  const waiting: (() => void)[] = [];
  const create = async (): Promise<StreamableHTTPServerTransport> => {
    const server = new McpServer({ name: 'resumable', version: '1' });
    server.registerTool('wait', { description: 'Answers later' }, async ({ sendNotification }) => {
      await sendNotification({ method: 'notifications/message', params: { level: 'info', data: 'begun' } });
      await new Promise<void>((resolve) => waiting.push(resolve));
      return { content: [{ type: 'text', text: 'done' }] };
    });
    server.server.registerCapabilities({ logging: {} });
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new InMemoryEventStore(),
      retryInterval: 100,
      onsessioninitialized: (id) => void transports.set(id, transport),
      onsessionclosed: (id) => void transports.delete(id),
    });
    await server.connect(transport as never);
    return transport;
  };
  const target = await startTarget(async (req, res) => {
    if (req.headers['last-event-id'] !== undefined) resumptions.push(String(req.headers['last-event-id']));
    const transport = transports.get(String(req.headers['mcp-session-id'])) ?? (await create());
    await transport.handleRequest(req, res);
  });
  const finish = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  return Object.assign(target, { finish, sessions: transports, resumptions });
}

/** Breaks every connection between the backend and its clients. */
function cutClients({ server }: ServedRemote, sockets: ReadonlySet<Socket>): void {
  for (const socket of sockets) socket.destroy();
  server.closeAllConnections();
}

type Connect = (
  url: string,
  headers: Headers,
  onBegun: () => void,
) => Promise<{
  call(): Promise<unknown>;
  end(): Promise<void>;
}>;

const connectV1: Connect = async (url, headers, onBegun) => {
  const client = new ClientV1({ name: 'v1', version: '1' });
  const transport = new TransportV1(new URL(url), { requestInit: { headers } });
  client.fallbackNotificationHandler = async () => onBegun();
  await client.connect(transport as never);
  return { call: () => client.callTool({ name: 'wait' }), end: () => transport.terminateSession() };
};

const connectV2: Connect = async (url, headers, onBegun) => {
  const client = new ClientV2({ name: 'v2', version: '1' });
  const transport = new TransportV2(new URL(url), { requestInit: { headers } });
  client.fallbackNotificationHandler = async () => onBegun();
  await client.connect(transport);
  return { call: () => client.callTool({ name: 'wait' }), end: () => transport.terminateSession() };
};

describe.each([
  ['SDK v1', connectV1],
  ['SDK v2', connectV2],
])('a client of %s', (_name, connect) => {
  test.each([
    ['to the client', (remote: ServedRemote, sockets: ReadonlySet<Socket>) => cutClients(remote, sockets)],
    [
      'to the target',
      (_remote: ServedRemote, _sockets: ReadonlySet<Socket>, target: Resumable) => target.server.closeAllConnections(),
    ],
  ])('goes on where the connection %s broke, and ends its session', async (_where, cut) => {
    const target = await startResumable();
    const remote = await serveRemote(target.url);
    const sockets = new Set<Socket>();
    remote.server.on('connection', (socket) => void sockets.add(socket));
    let hasBegun = false;
    const client = await connect(remote.url, remote.bearer('ada'), () => {
      hasBegun = true;
    });
    const answer = client.call();
    await until(() => hasBegun);
    cut(remote, sockets, target);
    await until(() => target.resumptions.length > 0);
    target.finish();
    expect(await answer).toMatchObject({ content: [{ text: 'done' }] });
    expect([target.sessions.size, remote.backend.stats().sessions]).toEqual([1, 1]);
    await client.end();
    expect([target.sessions.size, remote.backend.stats().sessions]).toEqual([0, 0]);
  });
});

test('no other user resumes a stream of a session', async () => {
  const target = await startResumable();
  const remote = await serveRemote(target.url);
  const ada = await open(remote.url, remote.bearer('ada'));
  const events = eventsOf(await post(remote.url, call(1, 'wait'), ada));
  let id: string | undefined;
  while (id === undefined) ({ id } = (await events.next()).value ?? {});
  const resume = (headers: Headers) =>
    fetch(remote.url, { headers: { accept: 'text/event-stream', ...headers, 'last-event-id': id ?? '' } });
  const thief = await resume({ ...ada, ...remote.bearer('bob') });
  expect(thief.status).toBe(404);
  expect(target.resumptions).toEqual([]);
  const own = await resume(ada);
  expect(own.status).toBe(200);
  target.finish();
  const rest = eventsOf(own);
  let message: Record<string, unknown> = {};
  while (message.id === undefined) message = await nextMessage(rest);
  expect(message).toMatchObject({ id: 1, result: { content: [{ text: 'done' }] } });
});

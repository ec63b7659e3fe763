import { setTimeout } from 'node:timers/promises';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Middleware, mcpBackend, mcpStdioBackend } from '../../src/index.js';
import { NODE, SCRIPTED, serveBackend } from '../support/stdio-bridge.js';

const child = { command: NODE, args: [SCRIPTED] };
const BACKENDS = {
  'mcpStdioBackend()': () => mcpStdioBackend(child),
  'mcpBackend()': () => mcpBackend({ targets: { one: child } }),
};

/** Progress, so that the answer is a stream, and then an error of the tool. */
const FAILS = {
  name: 'print',
  arguments: {
    line: [
      '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":ID,"progress":1}}',
      '{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"bad"}}',
      '',
    ].join('\n'),
  },
};
/** Progress, and then nothing. */
const HANGS = { name: 'begin', arguments: {} };

type Call = (tool: typeof FAILS | typeof HANGS, timeout: number) => Promise<unknown>;
interface Connected {
  readonly call: Call;
  readonly close: () => Promise<void>;
}
const about = { name: 'test', version: '1' };
const onprogress = (): void => undefined;

async function connectV1(url: string, onerror: (error: Error) => void): Promise<Connected> {
  const client = new ClientV1(about);
  client.onerror = onerror;
  await client.connect(new TransportV1(new URL(url)) as never);
  const call: Call = (tool, timeout) => client.callTool(tool, undefined, { timeout, onprogress });
  return { call, close: () => client.close() };
}

async function connectV2(url: string, onerror: (error: Error) => void): Promise<Connected> {
  const client = new ClientV2(about);
  client.onerror = onerror;
  await client.connect(new TransportV2(new URL(url)));
  const call: Call = (tool, timeout) => client.callTool(tool, { timeout, onprogress });
  return { call, close: () => client.close() };
}

const CLIENTS = [
  // SDK v1 does not count an error as the response, so it asks for more, once.
  ['SDK v1', connectV1, ['listen', 'resume 1-2']],
  ['SDK v2', connectV2, ['listen']],
] as const;
const ENDS = [
  ['fails', FAILS, 10_000],
  ['times out', HANGS, 1_000],
] as const;

describe.each(Object.keys(BACKENDS) as (keyof typeof BACKENDS)[])('%s: after a call that', (name) => {
  const rows = CLIENTS.flatMap(([sdk, connect, gets]) =>
    ENDS.map(([end, tool, timeout]) => ({ end, sdk, connect, gets, tool, timeout })),
  );
  test.concurrent.each(rows)('$end, the client of $sdk opens no more streams', async (row) => {
    const gets: string[] = [];
    const record: Middleware = ({ method, headers }, _res, next) => {
      const id = headers['last-event-id'];
      if (method === 'GET') gets.push(id === undefined ? 'listen' : `resume ${id}`);
      next();
    };
    const served = await serveBackend(BACKENDS[name](), 'Express 5', [record]);
    onTestFinished(served.stop);
    const errors: string[] = [];
    const client = await row.connect(served.url, ({ message }) => {
      // The SDKs say so about what comes after they have cancelled a call.
      if (!/unknown (?:message ID|token)/.test(message)) errors.push(message);
    });
    await expect(client.call(row.tool, row.timeout)).rejects.toThrow();
    // Clients reconnect after one second.
    await setTimeout(4_000);
    expect([gets, errors]).toEqual([row.gets, []]);
    await client.close();
  });
});

import express, { type RequestHandler } from 'express';
import { expect, onTestFinished, test } from 'vitest';
import {
  type CallOptions,
  type CallRecord,
  type McpBackend,
  type Middleware,
  mcpAuth,
  mcpAuthorization,
  mcpBackend,
  mcpCalls,
  mcpHttpBackend,
  mcpLimits,
  mcpScopes,
  mcpStdioBackend,
} from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve } from '../support/loopback-server.js';
import { json, result, toolCall } from '../support/observed-app.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { NOTES } from '../support/sdk-servers.js';
import { subscribeToCalls } from '../support/subscribed-calls.js';
import { until } from '../support/until.js';

const issuer = createTestIssuer();

type Create = (options: CallOptions) => Promise<Middleware>;

const closing = <Backend extends Middleware & { close(): Promise<void> }>(backend: Backend): Backend => {
  onTestFinished(() => backend.close());
  return backend;
};

const NOTES_SERVER = { command: process.execPath, args: [NOTES, '--stdio'] };

const SERVERS: Readonly<Record<string, Create>> = {
  'a server in the same app': async () => json(result()),
  'mcpHttpBackend()': async (options) => {
    const target = await startRecordingTarget((_arrived, res) => json(result())({} as never, res));
    return closing(mcpHttpBackend({ url: target.url, ...options }));
  },
  'mcpStdioBackend()': async (options) => closing(mcpStdioBackend({ ...NOTES_SERVER, sessions: false, ...options })),
  'mcpBackend()': async (options) =>
    closing(mcpBackend({ targets: { a: NOTES_SERVER, b: NOTES_SERVER }, sessions: false, ...options })),
};

const TOOLS: Readonly<Record<string, string>> = { 'mcpBackend()': 'a_echo' };

test.each(Object.entries(SERVERS))('whatever is mounted, a call has one record: %s', async (name, create) => {
  const heard: Record<string, CallRecord[]> = {};
  const listen = (who: string): CallOptions => {
    const records: CallRecord[] = [];
    heard[who] = records;
    return { onCall: (record) => void records.push(record) };
  };
  const published = subscribeToCalls();
  const app = express().use(mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp' })));
  const server = await create(name === 'a server in the same app' ? {} : listen('the backend'));
  const steps = [
    mcpCalls(listen('mcpCalls()')),
    mcpScopes({ 'tools/call': { secret: ['write'] } }, { hide: true, ...listen('mcpScopes()') }),
    mcpAuthorization({
      rules: ['true'],
      backend: 'resolve' in server ? (server as McpBackend) : undefined,
      ...listen('mcpAuthorization()'),
    }),
    mcpLimits([{ per: 'user', tokens: 99, refill: 1, every: '1h' }]),
    mcpCalls(listen('mcpCalls() again')),
    server,
  ];
  app.use('/mcp', ...(steps as RequestHandler[]));
  const tool = TOOLS[name] ?? 'echo';
  const response = await fetch(`${await serve(app)}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${issuer.token({ sub: 'ada' })}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify(toolCall(1, tool)),
  });
  expect(await response.text()).toContain('"result"');
  await until(() => published.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(published).toMatchObject([{ name: tool, user: 'ada', outcome: 'answered' }]);
  for (const [who, records] of Object.entries(heard)) expect(records, who).toEqual(published);
});

test('a function that is given twice is called once', async () => {
  const records: CallRecord[] = [];
  const options = { onCall: (record: CallRecord) => void records.push(record) };
  const app = express();
  app.use(
    '/mcp',
    mcpCalls(options) as RequestHandler,
    mcpCalls(options) as RequestHandler,
    json(result()) as RequestHandler,
  );
  const body = JSON.stringify(toolCall());
  const headers = { 'content-type': 'application/json' };
  await (await fetch(`${await serve(app)}/mcp`, { method: 'POST', headers, body })).text();
  await until(() => records.length > 0);
  expect(records).toHaveLength(1);
});

import fastifyExpress from '@fastify/express';
import compression from 'compression';
import express, { type RequestHandler } from 'express';
import express4 from 'express4';
import fastify from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Middleware, mcpAuth } from '../../src/index.js';
import { serve } from '../support/loopback-server.js';
import { SDKS } from '../support/mcp-login.js';
import { ask, sessionPolicy, UNKNOWN_SESSION, userOf } from '../support/session-app.js';
import { connectUser, createSdkServer } from '../support/session-servers.js';
import { until } from '../support/until.js';

type Serve = (middlewares: readonly Middleware[]) => Promise<string>;

const withExpress =
  (create: () => ReturnType<typeof express>): Serve =>
  (middlewares) =>
    serve(create().use('/mcp', ...(middlewares as readonly unknown[] as RequestHandler[])));

const withFastify: Serve = async (middlewares) => {
  const app = fastify({ forceCloseConnections: true });
  await app.register(fastifyExpress);
  for (const middleware of middlewares) app.use('/mcp', middleware as never);
  onTestFinished(() => app.close());
  return app.listen({ port: 0, host: '127.0.0.1' });
};

const compress = compression({ threshold: 0 }) as unknown as Middleware;

type Order = (auth: Middleware, server: Middleware) => Middleware[];

const alone: Order = (auth, server) => [auth, server];
const before: Order = (auth, server) => [compress, auth, server];
const after: Order = (auth, server) => [auth, compress, server];

// The package compression does not work on @fastify/express at all, whose headersSent never becomes true.
const STACKS: readonly [name: string, serve: Serve, order: Order][] = [
  ['Express 5', withExpress(express), alone],
  ['Express 5, compression before mcpAuth()', withExpress(express), before],
  ['Express 5, compression after mcpAuth()', withExpress(express), after],
  ['Express 4, compression before mcpAuth()', withExpress(express4 as never), before],
  ['Express 4, compression after mcpAuth()', withExpress(express4 as never), after],
  ['@fastify/express', withFastify, alone],
];

const KINDS = [
  ['remember', {}],
  ['sign', { sessionOwners: 'sign', secret: 's'.repeat(32) }],
] as const;

const INITIALIZED = { 'mcp-protocol-version': '2025-11-25', accept: 'application/json, text/event-stream' };

const combinations = STACKS.flatMap(([stack, serveWith, inOrder]) =>
  SDKS.map((sdk) => [`${stack}, a server of SDK ${sdk}`, serveWith, inOrder, sdk] as const),
);

describe.each(combinations)('%s', (_name, serveWith, inOrder, sdk) => {
  test.each(KINDS)('two users at once see their own session only: %s', async (kind, options) => {
    const server = createSdkServer(sdk);
    const url = `${await serveWith(inOrder(mcpAuth(sessionPolicy(options)), server.handle))}/mcp`;
    const [alice, bob, carol] = await Promise.all([
      connectUser('v1', url, userOf('alice') as Record<string, string>),
      connectUser('v2', url, userOf('bob') as Record<string, string>),
      connectUser('auto', url, userOf('carol') as Record<string, string>),
    ]);
    const id = alice.sessionId ?? '';
    for (const { sessionId } of [alice, bob, carol]) expect(sessionId).toHaveLength(kind === 'sign' ? 80 : 36);
    for (const method of ['POST', 'GET', 'DELETE']) {
      expect(await ask(url, 'bob', id, { method, headers: INITIALIZED })).toEqual(UNKNOWN_SESSION);
    }
    const steps = await Promise.all([alice, bob, carol, alice].map((user) => user.work()));
    expect(steps).toEqual(steps.map(() => [1, 2, 3]));
    await until(() => alice.messages.length === 2 && bob.messages.length === 1 && carol.messages.length === 1);
    const [ofAlice, again] = alice.messages;
    expect(again).toBe(ofAlice);
    expect(new Set([ofAlice, ...bob.messages, ...carol.messages])).toEqual(new Set(server.transports.keys()));
    // The client of SDK v1 takes the id from every answer.
    expect(alice.sessionId).toBe(id);
    await alice.end();
    await Promise.all([alice, bob, carol].map((user) => user.close()));
  });
});

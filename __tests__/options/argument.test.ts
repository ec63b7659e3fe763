import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { mcpAuth, mcpCors, mcpScopes, mcpStdioBackend, protectedResourceMetadata } from '../../src/index.js';

const POLICY = '{ issuer: …, resourceMetadata: { resource: … } }';

describe.each([
  [mcpAuth, 'options', POLICY],
  [protectedResourceMetadata, 'options', POLICY],
  [mcpScopes, 'rules', "{ 'tools/call': { 'delete_*': ['files:write'] } }"],
  [mcpStdioBackend, 'options', '{ command: "node", args: ["server.js"] }'],
  [mcpCors, 'options', ''],
] as const)('%o', (middleware, option, example) => {
  const { name } = middleware;
  const create = middleware as (argument: unknown) => unknown;
  const fix = `Write app.use(${name}(${example})).`;

  test.each([
    ['an object, but got null', null],
    ['an object, but got "x"', 'x'],
    ['an object, but got []', []],
    ['a plain object', new Map([['allowedOrigins', 'https://app.example.com']])],
    ['a plain object', Promise.resolve({})],
    ['a plain object', Object.create({ allowedOrigins: ['https://app.example.com'], issuer: 'x', command: 'x' })],
    ['a plain object', Object.create(Object.assign(Object.create(null), { requiredScopes: ['admin'] }))],
    [
      'a plain object',
      new (class Options {
        clientSecret = 'secret';
        env = () => ({});
        requestMeta() {
          return {};
        }
      })(),
    ],
  ])('must be %s: %o', (expected, argument) => {
    const message = `${name}(): option "${option}" must be ${expected}. ${fix}`;
    expect(() => create(argument)).toThrow(expect.objectContaining({ message, option }));
  });

  test('mounted without the call is found out at the first request, of which nothing is repeated', async () => {
    const app = express();
    app.use(middleware as never);
    app.use(((error, _req, res, _next) => void res.status(500).send(error.message)) as express.ErrorRequestHandler);
    const { status, text } = await request(app).get('/mcp').auth('secret', { type: 'bearer' });
    expect([status, text]).toEqual([
      500,
      `${name}(): option "${option}" must be an object, not a request: app.use(${name}) was written without the call. ${fix}`,
    ]);
  });
});

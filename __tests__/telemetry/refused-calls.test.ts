import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import express, { type RequestHandler } from 'express';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type CallRecord,
  createMemoryStore,
  type Middleware,
  mcpAuth,
  mcpAuthorization,
  mcpCalls,
  mcpLimits,
  mcpScopes,
} from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve } from '../support/loopback-server.js';
import { json, result, toolCall } from '../support/observed-app.js';
import { subscribeToCalls } from '../support/subscribed-calls.js';
import { until } from '../support/until.js';

const issuer = createTestIssuer();
const policy = issuer.policy({ resource: 'https://mcp.example/mcp', mode: 'optional' });

/** Sends one request to an app with these middlewares behind `mcpAuth()`, and returns the answer and the records. */
async function ask(
  middlewares: readonly Middleware[],
  records: CallRecord[],
  message: unknown,
  sub: string | null = 'ada',
) {
  const app = express().use(mcpAuth(policy));
  app.use('/mcp', ...([...middlewares] as RequestHandler[]), json(result()) as RequestHandler);
  const token = sub === null ? {} : { authorization: `Bearer ${issuer.token({ sub, clientId: 'agent' })}` };
  const response = await fetch(`${await serve(app)}/mcp?a=secret`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': 'r1', ...token },
    body: JSON.stringify(message),
  });
  const answer = { status: response.status, body: JSON.parse(await response.text()) };
  await until(() => records.length >= [message].flat().length);
  await turn();
  return { ...answer, records };
}

const recorder = () => {
  const records: CallRecord[] = [];
  return { records, onCall: (record: CallRecord) => void records.push(record) };
};

const ADA = {
  issuer: issuer.issuer,
  user: 'ada',
  client: 'agent',
  credential: 'jwt',
  route: '/mcp',
  method: 'tools/call',
};
const ANONYMOUS = { user: undefined, client: undefined, issuer: undefined, credential: 'anonymous' };
const scoped = { 'tools/call': { add: ['write'], never: false } } as const;
const rules = ['mcp.tool.name == "echo"', { allow: 'mcp.tool.name == "add"', scopes: ['write'] }];

type Row = [
  what: string,
  create: (options: object) => Middleware,
  tool: string,
  sub: string | null,
  status: number,
  record: object,
];

const rows: Row[] = [
  [
    'mcpScopes(): too few scopes',
    (o) => mcpScopes(scoped, o),
    'add',
    'ada',
    403,
    { ...ADA, code: 'insufficient_scope' },
  ],
  [
    'mcpScopes(): too few scopes, answered with a JSON-RPC error',
    (o) => mcpScopes(scoped, { ...o, onInsufficientScope: 'jsonRpcError' }),
    'add',
    'ada',
    200,
    { ...ADA, code: 'insufficient_scope' },
  ],
  ['mcpScopes(): never', (o) => mcpScopes(scoped, o), 'never', 'ada', 403, { ...ADA, code: 'call_denied' }],
  [
    'mcpScopes(): without a token',
    (o) => mcpScopes(scoped, o),
    'add',
    null,
    401,
    { ...ANONYMOUS, code: 'missing_token' },
  ],
  [
    'mcpAuthorization(): answered as if the tool did not exist',
    (o) => mcpAuthorization({ ...o, rules }),
    'secret',
    'ada',
    200,
    { ...ADA, code: 'call_denied' },
  ],
  [
    'mcpAuthorization(): too few scopes',
    (o) => mcpAuthorization({ ...o, rules, onDenied: 'challenge' }),
    'add',
    'ada',
    403,
    { ...ADA, code: 'insufficient_scope' },
  ],
  [
    'mcpAuthorization(): without a token',
    (o) => mcpAuthorization({ ...o, rules }),
    'secret',
    null,
    200,
    { ...ANONYMOUS, code: 'missing_token' },
  ],
];

describe('a denied call', () => {
  test.each(rows)('%s', async (_what, create, tool, sub, status, record) => {
    const { records, onCall } = recorder();
    const answer = await ask([create({ onCall })], records, toolCall(1, tool), sub);
    expect(answer.status).toBe(status);
    expect(answer.records).toMatchObject([{ name: tool, outcome: 'denied', bytesOut: 0, ...record }]);
  });

  test('in a batch denies the others too, which have records of their own', async () => {
    const { records, onCall } = recorder();
    await ask([mcpScopes(scoped, { onCall })], records, [toolCall(1, 'never'), toolCall(2, 'echo')]);
    expect(records.map(({ name, outcome, code }) => [name, outcome, code])).toEqual([
      ['never', 'denied', 'call_denied'],
      ['echo', 'denied', 'call_denied'],
    ]);
  });

  test('in permissive mode is answered', async () => {
    const { records, onCall } = recorder();
    await ask([mcpAuthorization({ onCall, rules, mode: 'permissive' })], records, toolCall(1, 'secret'));
    expect(records).toMatchObject([{ name: 'secret', outcome: 'answered' }]);
  });
});

test('the calls that pass have the outcome of their answer', async () => {
  const { records, onCall } = recorder();
  await ask([mcpScopes(scoped, { onCall })], records, toolCall(1, 'echo'));
  expect(records).toMatchObject([{ ...ADA, name: 'echo', outcome: 'answered', code: undefined }]);
});

test('a list that hide cannot filter is a failure of the server', async () => {
  const { records, onCall } = recorder();
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  const broken: Middleware = (_req, res) => void res.end('{"id":1,"result":{"tools":[],"tools":[]}}');
  const answer = await ask([mcpScopes(scoped, { onCall, hide: true }), broken], records, list);
  expect(answer.status).toBe(502);
  expect(records).toMatchObject([{ method: 'tools/list', outcome: 'target_failed', code: 'unreadable_answer' }]);
});

describe('mcpLimits()', () => {
  const limits = [{ per: 'user', tokens: 1, refill: 1, every: '1h' }] as const;

  test.each<[string, object]>([
    ['alone', {}],
    ['with a store', { store: createMemoryStore() }],
  ])('records limited calls for those who listen: %s', async (_name, options) => {
    const records = subscribeToCalls();
    const limited = mcpLimits(limits, options);
    const sub = randomUUID();
    await ask([limited], records, toolCall(), sub);
    const answer = await ask([limited], records, toolCall(2), sub);
    expect(answer.status).toBe(429);
    await until(() => records.length === 2);
    expect(records).toMatchObject([
      { user: sub, outcome: 'answered' },
      { user: sub, outcome: 'limited', code: 'limit_exceeded' },
    ]);
  });

  test('after mcpCalls() ends the record that mcpCalls() began', async () => {
    const { records, onCall } = recorder();
    const limited = [mcpCalls({ onCall }), mcpLimits([{ per: 'tool', tokens: 1, refill: 1, every: '1h' }])];
    await ask(limited, records, toolCall(1, 'a'));
    await ask(limited, records, toolCall(2, 'a'));
    await until(() => records.length === 2);
    expect(records.map(({ outcome }) => outcome)).toEqual(['answered', 'limited']);
  });
});

test('the id of the HTTP request is that of the application, and the trace that of the client', async () => {
  const { records, onCall } = recorder();
  const withId: Middleware = (req, _res, next) => {
    Object.assign(req, { id: 'r1' });
    next();
  };
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const call = { ...toolCall(), params: { name: 'echo', _meta: { traceparent } } };
  await ask([withId, mcpCalls({ onCall })], records, call);
  expect(records).toMatchObject([{ requestId: 'r1', traceId: 'a'.repeat(32) }]);
  onTestFinished(() => expect(JSON.stringify(records)).not.toContain('secret'));
});

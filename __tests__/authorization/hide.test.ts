import { gzipSync } from 'node:zlib';
import express, { type RequestHandler, type Response } from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { type McpScopesOptions, mcpAuth, mcpScopes, type ScopeRules } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve } from '../support/loopback-server.js';

const RULES: ScopeRules = {
  'tools/call': { 'delete_*': ['write'], picky: (_auth, call) => (call.params.arguments as { ok: boolean }).ok },
  'prompts/get': { secret: ['write'] },
  'resources/read': { 'file:///secret/*': ['write'] },
};

const named = (...names: string[]) => names.map((name) => ({ name, description: 'ä' }));
const answer = (result: object, id = 1) => ({ jsonrpc: '2.0', id, result });
const TOOLS = answer({ tools: named('echo', 'delete_file', 'picky'), nextCursor: 'more' });
const VISIBLE = answer({ tools: named('echo'), nextCursor: 'more' });

const issuer = createTestIssuer();
const policy = issuer.policy({ resource: 'https://mcp.example/mcp' });

function ask(handler: RequestHandler, method = 'tools/list', scopes: string[] = [], options: McpScopesOptions = {}) {
  const app = express().use(mcpAuth(policy), mcpScopes(RULES, { hide: true, ...options }));
  app.use(handler);
  const token = issuer.token({ scopes });
  const call = method === 'GET' ? request(app).get('/mcp') : request(app).post('/mcp');
  call.auth(token, { type: 'bearer' });
  return method === 'GET' ? call : call.send({ jsonrpc: '2.0', id: 1, method });
}

const json = JSON.stringify(TOOLS);
const event = `event: message\nid: 7\ndata: ${json}\n\n`;
const shown = `event: message\nid: 7\ndata: ${JSON.stringify(VISIBLE)}\n\n`;
const EVENTS = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };

const writers: [how: string, write: (res: Response) => void][] = [
  ['res.json()', (res) => void res.json(TOOLS)],
  [
    'res.end() with a length',
    (res) =>
      void res
        .setHeader('content-type', 'application/json')
        .setHeader('content-length', Buffer.byteLength(json))
        .end(json),
  ],
  [
    'writeHead() with an object',
    (res) =>
      void res
        .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) })
        .end(json),
  ],
  [
    'writeHead() with a list',
    (res) => void res.writeHead(200, 'Fine', ['Content-Type', 'application/json; charset=utf-8']).end(json),
  ],
  [
    'a proxy that copies the framing headers of its server',
    (res) =>
      void res
        .writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked', trailer: 'x-sum' })
        .end(json),
  ],
  [
    'writeHead() and flushHeaders()',
    (res) => {
      res.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      res.end(json);
    },
  ],
  [
    'pieces, some of them text',
    (res) => {
      res.setHeader('content-type', 'application/json');
      const bytes = Buffer.from(json);
      const middle = bytes.indexOf('ä') + 1;
      res.write(bytes.subarray(0, middle));
      res.write(bytes.subarray(middle, middle + 9), () =>
        res.end(bytes.subarray(middle + 9).toString('latin1'), 'latin1'),
      );
    },
  ],
];

test.each(writers)('a JSON answer written by %s', async (_how, write) => {
  const response = await ask((_req, res) => write(res));
  expect(response.body).toEqual(VISIBLE);
  expect(response.headers['content-length']).toBe(String(Buffer.byteLength(JSON.stringify(VISIBLE))));
  expect(response.headers.etag).toBeUndefined();
});

test.each<[what: string, type: string | undefined, text: string]>([
  ['after a byte order mark', 'application/json', `\ufeff${json}`],
  ['with names in escapes', 'application/json', json.replace('"tools"', '"\\u0074ools"')],
  ['as text', 'text/plain', json],
  ['as another kind of JSON', 'application/problem+json', json],
  ['without a type', undefined, json],
])('a JSON answer %s', async (_what, type, text) => {
  const response = await ask((_req, res) => {
    if (type !== undefined) res.setHeader('content-type', type);
    res.end(text);
  })
    .buffer()
    .parse(asText as never);
  // As `fetch` does.
  expect(JSON.parse(response.body.replace(/^\ufeff/, ''))).toEqual(VISIBLE);
});

test('a caller who may use everything sees everything', async () => {
  const response = await ask(
    (_req, res) => void res.json(answer({ tools: named('echo', 'delete_file') })),
    'tools/list',
    ['write'],
  );
  expect(response.body.result.tools).toEqual(named('echo', 'delete_file'));
});

test('prompts, resources and templates of resources', async () => {
  const uris = ['file:///public/a', 'file:///secret/a'];
  const result = {
    prompts: named('greet', 'secret'),
    resources: uris.map((uri) => ({ uri })),
    resourceTemplates: uris.map((uri) => ({ uriTemplate: `${uri}/{id}` })),
  };
  const response = await ask((_req, res) => void res.json(answer(result)), 'resources/list');
  expect(response.body.result).toEqual({
    prompts: named('greet'),
    resources: [{ uri: 'file:///public/a' }],
    resourceTemplates: [{ uriTemplate: 'file:///public/a/{id}' }],
  });
});

test('an entry without a name is not shown', async () => {
  const response = await ask(
    (_req, res) => void res.json(answer({ tools: [null, {}, { name: 1 }, ...named('echo')] })),
  );
  expect(response.body.result.tools).toEqual(named('echo'));
});

test('a batch of answers', async () => {
  const response = await ask((_req, res) => void res.json([answer({ ok: 1 }, 1), TOOLS]));
  expect(response.body).toEqual([answer({ ok: 1 }, 1), VISIBLE]);
});

test('a filtered list is marked private, so that no cache shows it to another caller', async () => {
  const result = { tools: named('echo'), ttlMs: 60_000, cacheScope: 'public' };
  const response = await ask((_req, res) => void res.json(answer(result)));
  expect(response.body.result).toEqual({ ...result, cacheScope: 'private' });
});

describe('an event stream', () => {
  test.each([1, 2, 3, 7, 64, 10_000])('in pieces of %i bytes', async (size) => {
    const bytes = Buffer.from(`: hello\n\nevent: message\ndata: {"jsonrpc":"2.0","method":"x"}\n\n${event}`);
    const response = await ask((_req, res) => {
      res.writeHead(200, EVENTS);
      for (let at = 0; at < bytes.length; at += size) res.write(bytes.subarray(at, at + size));
      res.end();
    });
    expect(response.text).toBe(`: hello\n\nevent: message\ndata: {"jsonrpc":"2.0","method":"x"}\n\n${shown}`);
    expect(response.headers['content-type']).toBe('text/event-stream');
  });

  test('with other line ends, several data lines, and no final empty line', async () => {
    const [first, ...rest] = JSON.stringify(TOOLS, null, 1).split('\n');
    const lines = [first, ...rest].map((line) => `data:${line}`).join('\r\n');
    const response = await ask(
      (_req, res) => void res.writeHead(200, EVENTS).end(`${lines}\r\n\r\n${event.trimEnd()}`),
    );
    const [several = '', one] = response.text.split('\r\n\r\n');
    const data = several.split('\n').map((line) => line.replace(/^data: /, ''));
    expect(JSON.parse(data.join('\n'))).toEqual(VISIBLE);
    expect(one).toBe(shown.trimEnd());
  });

  test('sends each event as soon as it is complete', async () => {
    const app = express().use(mcpAuth(policy), mcpScopes(RULES, { hide: true }));
    let more: () => void = () => undefined;
    app.use((_req, res) => {
      res.writeHead(200, EVENTS).write(event);
      more = () => res.end(event);
    });
    const headers = { authorization: `Bearer ${issuer.token()}` };
    const stream = await fetch(await serve(app), { headers });
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toBe(shown);
    more();
    expect(await next()).toBe(shown);
  });

  test('on GET, where a resumed stream repeats answers', async () => {
    const response = await ask((_req, res) => void res.writeHead(200, EVENTS).end(event), 'GET');
    expect(response.text).toBe(shown);
  });
});

describe('is left alone:', () => {
  test.each<[string, RequestHandler, string]>([
    ['an answer that is not JSON', (_req, res) => void res.type('text/html').send('<p>tools</p>'), '<p>tools</p>'],
    ['invalid JSON', (_req, res) => void res.type('application/json').send('{"ok" x'), '{"ok" x'],
    [
      'an answer without lists',
      (_req, res) => void res.json(answer({ ok: true })),
      JSON.stringify(answer({ ok: true })),
    ],
    ['an empty answer', (_req, res) => void res.status(202).end(), ''],
  ])('%s', async (_what, handler, text) => {
    const response = await ask(handler)
      .buffer()
      .parse(asText as never);
    expect(response.body).toBe(text);
  });

  test('the answer to anything but a list request', async () => {
    const response = await ask((_req, res) => void res.json(TOOLS), 'ping');
    expect(response.body).toEqual(TOOLS);
  });

  test('every answer if hide is off', async () => {
    const response = await ask((_req, res) => void res.json(TOOLS), 'tools/list', [], { hide: false });
    expect(response.body).toEqual(TOOLS);
  });
});

test('a server is asked not to compress: the filter could not read the answer', async () => {
  const response = await ask((req, res) => {
    res.type('application/json');
    if (req.headers['accept-encoding']?.includes('gzip')) res.set('content-encoding', 'gzip').end(gzipSync(json));
    else res.end(json);
  });
  expect(response.body).toEqual(VISIBLE);
});

function asText(res: NodeJS.ReadableStream, done: (error: Error | null, text: string) => void): void {
  let text = '';
  res.on('data', (chunk) => {
    text += chunk;
  });
  res.on('end', () => done(null, text));
}

import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { type CallRecord, type Middleware, mcpCalls } from '../../src/index.js';
import {
  type Answer,
  type Compression,
  events,
  FRAMEWORKS,
  result,
  serveObserved,
  toolCall,
} from '../support/observed-app.js';

const bytesOf = (message: object) => Buffer.byteLength(JSON.stringify(message));
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
const notice = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1 } };

const SURROUNDINGS = Object.keys(FRAMEWORKS).flatMap((framework) =>
  (['without compression', 'compression before it', 'compression after it'] as Compression[]).map(
    (compression) => [framework, compression] as const,
  ),
);

/** Ways to write one JSON answer. */
const WRITERS: Readonly<Record<string, (res: ServerResponse, text: string) => void>> = {
  'end() alone': (res, text) => void res.setHeader('content-type', 'application/json').end(text),
  'writeHead() with an object': (res, text) =>
    void res.writeHead(200, { 'Content-Type': 'application/json' }).end(text),
  'writeHead() with names and values': (res, text) =>
    void res.writeHead(200, 'OK', ['Content-Type', 'application/json']).end(text),
  'pieces of one byte': (res, text) => {
    res.setHeader('content-type', 'application/json');
    for (const byte of Buffer.from(text)) res.write(Buffer.from([byte]));
    res.end();
  },
  'texts in another encoding': (res, text) => {
    res.setHeader('content-type', 'application/json');
    res.write(Buffer.from(text).toString('base64'), 'base64', () => undefined);
    res.end();
  },
  Uint8Array: (res, text) => {
    res.flushHeaders();
    res.end(new Uint8Array(Buffer.from(text)));
  },
};

describe.each(SURROUNDINGS)('%s, %s', (framework, compression) => {
  const serve = (answer: Answer) => serveObserved(answer, { framework, compression });
  const accept = { headers: { 'accept-encoding': 'gzip' } };

  test.each(Object.entries(WRITERS))('a JSON answer written with %s', async (name, write) => {
    const answer = result(1, { content: [{ type: 'text', text: 'é'.repeat(2_000) }] });
    const { post, recorded } = await serve((_req, res) => write(res, JSON.stringify(answer)));
    const response = await post(toolCall(), accept);
    expect(await response.json()).toEqual(answer);
    if (compression !== 'without compression' && !name.startsWith('Uint8')) {
      expect(response.headers.get('content-encoding')).toBe('gzip');
    }
    const [record, ...more] = await recorded(1);
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      route: '/mcp',
      method: 'tools/call',
      name: 'add',
      credential: 'anonymous',
      outcome: 'answered',
      bytesIn: bytesOf(toolCall()),
      bytesOut: bytesOf(answer),
    });
    expect(record?.durationMs).toBeGreaterThan(0);
    expect(Math.abs((record?.time ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  test('an event stream with other messages', async () => {
    const answer = events(ping, notice, result(1));
    const { post, recorded } = await serve(answer);
    expect(await (await post(toolCall(), accept)).text()).toContain('"result"');
    expect(await recorded(1)).toMatchObject([{ outcome: 'answered', bytesOut: bytesOf(result(1)) }]);
  });
});

// As mcpAuth() does, to see the id of a session. A compression after it changes the head before `mcpCalls()` sees it.
const replaceWriteHead: Middleware = (_req, res, next) => {
  const { writeHead } = res;
  res.writeHead = ((...args: Parameters<typeof writeHead>) => writeHead.apply(res, args)) as typeof writeHead;
  next();
};

describe.each(SURROUNDINGS)('%s, %s, after a middleware that replaces writeHead()', (framework, compression) => {
  test.each(Object.entries(WRITERS))('a tool error written with %s', async (_name, write) => {
    const answer = result(1, { content: [], isError: true });
    const serveAnswer: Answer = (_req, res) => write(res, JSON.stringify(answer));
    const { post, recorded } = await serveObserved(serveAnswer, { framework, compression, before: [replaceWriteHead] });
    const response = await post(toolCall(), { headers: { 'accept-encoding': 'gzip' } });
    expect(await response.json()).toEqual(answer);
    expect(await recorded(1)).toMatchObject([{ outcome: 'tool_error', bytesOut: bytesOf(answer) }]);
  });
});

test('two mcpCalls(), with a middleware between them that replaces the request', async () => {
  const second: CallRecord[] = [];
  const calls = mcpCalls({ onCall: (record) => void second.push(record) });
  const behindProxy: Middleware = (req, res, next) => calls(new Proxy(req, {}), res, next);
  const answer: Answer = (_req, res) =>
    void res.setHeader('content-type', 'application/json').end(JSON.stringify(result(1)));
  const { post, recorded } = await serveObserved(answer, { after: [behindProxy] });
  expect(await (await post(toolCall())).json()).toEqual(result(1));
  expect(await recorded(1)).toMatchObject([{ outcome: 'answered' }]);
  expect(second).toMatchObject([{ outcome: 'answered' }]);
});

import { once } from 'node:events';
import { request } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import express4 from 'express4';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Middleware, mcpAuth, mcpScopes } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve } from '../support/loopback-server.js';
import { callTool } from '../support/scoped-app.js';

const RULES = { 'tools/call': { delete_file: ['files:write'] } };
const VERBS = ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'QUERY', 'PROPFIND'];
const WITHOUT_MESSAGE = ['GET', 'HEAD', 'DELETE', 'OPTIONS'];
const DENIED = JSON.stringify(callTool('delete_file'));
const ALLOWED = JSON.stringify(callTool('echo'));

const issuer = createTestIssuer();
const policy = issuer.policy({ resource: 'https://mcp.example/mcp' });
const authorization = `Bearer ${issuer.token({ sub: 'alice', scopes: [] })}`;

interface Served {
  readonly url: string;
  /** The bodies that reached the server, which ignores the method. */
  readonly seen: string[];
}

async function start(before: readonly Middleware[] = [], create: typeof express = express): Promise<Served> {
  const seen: string[] = [];
  const app = create().use(mcpAuth(policy), ...(before as never[]), mcpScopes(RULES) as never);
  app.use(async (req, res) => {
    seen.push(req.readableEnded || req.body !== undefined ? JSON.stringify(req.body ?? null) : await text(req));
    res.json({ through: true });
  });
  return { url: `${await serve(app as never)}/mcp`, seen };
}

function send(url: string, method: string, body: string | undefined, headers: Record<string, string> = {}) {
  return new Promise<number>((resolve, reject) => {
    const req = request(url, { method, headers: { authorization, ...headers } }, (res) => {
      res.resume().on('end', () => resolve(res.statusCode ?? 0));
    });
    req.on('error', reject).end(body);
  });
}

const framings: [how: string, headers: (body: string) => Record<string, string>][] = [
  ['with its length', (body) => ({ 'content-length': String(Buffer.byteLength(body)) })],
  ['in chunks', () => ({ 'transfer-encoding': 'chunked' })],
];

describe.each(VERBS)('%s', (verb) => {
  test.each(framings)('a body %s is checked', async (_how, framing) => {
    const { url, seen } = await start();
    const json = { 'content-type': 'application/json' };
    expect(await send(url, verb, DENIED, { ...json, ...framing(DENIED) })).toBe(403);
    expect(seen).toEqual([]);
    expect(await send(url, verb, ALLOWED, { ...json, ...framing(ALLOWED) })).toBe(200);
    expect(JSON.parse(seen[0] ?? '')).toEqual(JSON.parse(ALLOWED));
  });

  test.each(framings)('a body %s of another type is refused', async (_how, framing) => {
    const { url, seen } = await start();
    expect(await send(url, verb, DENIED, { 'content-type': 'text/plain', ...framing(DENIED) })).toBe(415);
    expect(await send(url, verb, DENIED, framing(DENIED))).toBe(415);
    expect(seen).toEqual([]);
  });

  test.each([
    ['Express 5', express],
    ['Express 4', express4 as unknown as typeof express],
  ])('a body that a parser has read is checked in %s', async (_name, create) => {
    const parser = create.json({ type: '*/*' }) as Middleware;
    const { url, seen } = await start([parser], create);
    const headers = { 'content-type': 'application/json', 'content-length': String(DENIED.length) };
    expect(await send(url, verb, DENIED, headers)).toBe(403);
    expect(seen).toEqual([]);
    expect(await send(url, verb, ALLOWED, { ...headers, 'content-length': String(ALLOWED.length) })).toBe(200);
    expect(seen).toEqual([ALLOWED]);
  });

  test('a body in req.body is checked, even if no header announced one', async () => {
    const setBody: Middleware = (req, _res, next) => {
      (req as { body?: unknown }).body = JSON.parse(String(req.headers['x-body']));
      next();
    };
    const { url, seen } = await start([setBody]);
    const headers = { 'content-length': '0' };
    expect(await send(url, verb, undefined, { ...headers, 'x-body': DENIED })).toBe(403);
    expect(seen).toEqual([]);
    expect(await send(url, verb, undefined, { ...headers, 'x-body': ALLOWED })).toBe(200);
  });

  test('a body over HTTP/2, which needs no header to announce it, is checked', async () => {
    const seen: string[] = [];
    const through = [mcpAuth(policy), mcpScopes(RULES)] as Middleware[];
    const server = createHttp2Server(async (req, res) => {
      for (const middleware of through)
        await new Promise<void>((next) => middleware(req as never, res as never, next as never));
      seen.push(await text(req));
      res.end('{}');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => {
      client.destroy();
      server.close();
    });
    const statusOf = async (body: string | undefined) => {
      const headers = { ':method': verb, ':path': '/mcp', authorization, 'content-type': 'application/json' };
      const stream = client.request(headers, { endStream: body === undefined });
      if (body !== undefined) stream.end(body);
      const [answer] = await once(stream, 'response');
      stream.resume();
      return answer[':status'];
    };
    expect(await statusOf(DENIED)).toBe(403);
    expect(seen).toEqual([]);
    expect(await statusOf(ALLOWED)).toBe(200);
  });
});

test.each(WITHOUT_MESSAGE)('%s without a body passes', async (verb) => {
  const { url, seen } = await start();
  expect(await send(url, verb, undefined)).toBe(200);
  expect(await send(url, verb, undefined, { 'content-length': '0' })).toBe(200);
  expect(seen.length).toBe(2);
  const old = await start([express4.json() as Middleware], express4 as unknown as typeof express);
  expect(await send(old.url, verb, undefined), 'though the parser of Express 4 leaves an empty object').toBe(200);
});

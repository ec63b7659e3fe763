import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { serve } from '../support/loopback-server.js';
import { initialize, JSON_HEADERS } from '../support/mcp-requests.js';
import { claims, createProtectedApp, parseChallenge, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';
import { serve as serveBackend } from '../support/stdio-bridge.js';

type Lines = readonly (readonly [name: string, value: string])[];

const signer = createSigner();
const AUTHORIZATION = ['Authorization', `Bearer ${signer.sign(claims())}`] as const;

/** Sends header lines unchanged; `fetch()` would join them. */
function send(url: string, lines: Lines, method = 'GET', body = '') {
  return new Promise<{ status: number; body: Record<string, unknown>; challenge: string | undefined }>((resolve) => {
    const more = body === '' ? [] : ['Content-Length', String(Buffer.byteLength(body))];
    const req = request(url, { method, headers: [...lines.flat(), ...more] }, async (res) => {
      const { statusCode: status = 0, headers } = res;
      resolve({ status, body: (await json(res)) as never, challenge: headers['www-authenticate'] });
    });
    req.end(body);
  });
}

const HOST = ['Host', 'localhost'] as const;

const twice: [name: string, one: string, other: string][] = [
  ['Host', 'localhost', 'evil.example'],
  ['Host', 'localhost', 'localhost'],
  ['Origin', 'http://localhost', 'https://evil.example'],
  ['Content-Type', 'application/json', 'application/json; charset=utf-7'],
  ['Mcp-Session-Id', 'a', 'b'],
  ['MCP-Protocol-Version', '2025-06-18', '2026-07-28'],
  ['Mcp-Method', 'ping', 'tools/call'],
  ['Mcp-Name', 'echo', 'delete_file'],
  ['Last-Event-ID', '1-1', '1-2'],
  ['Mcp-Param-Region', 'eu', 'us'],
];

const once: Lines = [
  ['Accept', 'application/json'],
  ['Accept', 'text/event-stream'],
  ['X-Forwarded-For', '10.0.0.1'],
  ['X-Forwarded-For', '10.0.0.2'],
  ['Via', '1.1 a'],
  ['Via', '1.1 b'],
  ['Mcp-Param-Region', 'eu'],
  ['Mcp-Param-Count', '1'],
  ['Mcp-Method', 'ping'],
  ['Mcp-Name', 'ping'],
];

describe.each(['strict', 'optional', 'permissive'] as const)('mcpAuth() in %s mode', (mode) => {
  // Its own origin: an origin with several resources would have no document at its root.
  const resourceMetadata = { resource: 'https://repeated-headers.example/mcp' };
  const { app } = createProtectedApp({ mode, audiences: [RESOURCE], resourceMetadata }, signer);

  test.each(twice)('two %s headers (%s, %s) are answered 400, with a token and without', async (name, one, other) => {
    const url = `${await serve(app)}/mcp`;
    const lines: Lines = [...(name === 'Host' ? [] : [HOST]), [name, one], [name.toLowerCase(), other]];
    for (const token of [[AUTHORIZATION], []]) {
      const { status, body, challenge } = await send(url, [...lines, ...token]);
      const description = 'The request repeats a header that may appear only once';
      expect([status, body]).toEqual([400, { error: 'invalid_request', error_description: description }]);
      expect(parseChallenge(challenge)).toMatchObject({ scheme: 'Bearer', error: 'invalid_request' });
    }
  });

  test('headers that are lists, and each of the others once, pass', async () => {
    const url = `${await serve(app)}/mcp`;
    expect((await send(url, [HOST, ...once, AUTHORIZATION])).body).toMatchObject({ anonymous: false });
  });

  test.each(['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'])(
    'two Host headers at %s are answered 400',
    async (path) => {
      // The root of an origin has a document only if the origin has one resource. Other tests have more at the origin of `app`.
      const resourceMetadata = { resource: 'https://repeated-headers.example/mcp' };
      const url = (await serve(createProtectedApp({ resourceMetadata }, signer).app)) + path;
      expect((await send(url, [HOST, ['Host', 'evil.example']])).status).toBe(400);
      expect((await send(url, [HOST])).status).toBe(200);
    },
  );
});

test('the log names the header', async () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const logger = { debug: write, info: write, warn: write, error: write };
  const { app } = createProtectedApp({ logger }, signer);
  await send(`${await serve(app)}/mcp`, [HOST, ['Host', 'evil.example']]);
  expect(lines.join()).toContain('repeated_header');
  expect(lines.join()).toContain('{"header":"host"}');
});

test('a second Authorization header with a token is not passed on in permissive mode', async () => {
  const url = `${await serve(createProtectedApp({ mode: 'permissive' }, signer).app)}/mcp`;
  const basic = ['Authorization', 'Basic YTpi'] as const;
  const { body } = await send(url, [HOST, basic, AUTHORIZATION]);
  expect(body).toEqual({ anonymous: true, authorization: null, credentials: [] });
  const alone = await send(url, [HOST, basic]);
  expect(alone.body).toMatchObject({ authorization: 'Basic YTpi' });
});

describe('mcpStdioBackend() alone', () => {
  test.each(twice)('two %s headers (%s, %s) are answered 400', async (name, one, other) => {
    const { url, stop, backend } = await serveBackend();
    const others = Object.entries(JSON_HEADERS).filter(([header]) => header !== name.toLowerCase());
    const lines: Lines = [...(name === 'Host' ? [] : [HOST]), ...others, [name, one], [name, other]];
    const { status, body } = await send(url, lines, 'POST', JSON.stringify(initialize()));
    expect([status, body]).toMatchObject([400, { error: { data: { reason: 'repeated_header' } } }]);
    expect(backend.stats().children).toBe(0);
    await stop();
  });
});

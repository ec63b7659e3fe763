import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mcpStdioBackend } from '../../src/bridge/mcp-stdio-backend.js';
import { initialize, JSON_HEADERS } from '../support/mcp-requests.js';
import { NODE, SCRIPTED, type Served, serve } from '../support/stdio-bridge.js';

/** fetch() sets Host and Origin itself, so this speaks plain HTTP. */
function status(url: string, headers: Record<string, string>): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const req = request(url, { method: 'POST', headers: { ...JSON_HEADERS, ...headers } }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      res.on('end', () => resolve([res.statusCode ?? 0, text]));
    });
    req.on('error', reject).end(JSON.stringify(initialize()));
  });
}

type Row = [Record<string, string>, 200 | 403];

function rows(name: string, options: Parameters<typeof serve>[0], table: Row[]): void {
  describe(name, () => {
    let served: Served;
    beforeAll(async () => {
      served = await serve({ maxSessions: 1_000, ...options });
    });
    afterAll(() => served.stop());

    test.each(table)('%j is answered %i', async (headers, expected) => {
      const [code, text] = await status(served.url, headers);
      expect(code, text).toBe(expected);
      if (expected === 403) {
        const option = /Origin header/.test(text) ? 'allowedOrigins' : 'allowedHosts';
        expect(JSON.parse(text)).toMatchObject({ error: { message: expect.stringContaining(option) } });
      }
    });
  });
}

rows('a loopback listener', {}, [
  [{ host: 'localhost:3000' }, 200],
  [{ host: '127.0.0.1' }, 200],
  [{ host: '[::1]:3000' }, 200],
  [{ host: 'LOCALHOST' }, 200],
  [{ host: 'evil.example' }, 403],
  [{ host: 'localhost.evil.example' }, 403],
  [{ host: '127.0.0.1.evil.example' }, 403],
  [{ host: 'localhost@evil.example' }, 403],
  [{ host: 'localhost/evil' }, 403],
  [{ host: '[::ffff:1.2.3.4]' }, 403],
  [{ host: 'localhost', origin: 'http://localhost:6274' }, 200],
  [{ host: '127.0.0.2:3000', origin: 'http://127.0.0.2:6274' }, 200],
  [{ host: '127.0.0.256' }, 403],
  [{ host: 'localhost', origin: 'http://[::1]:6274' }, 200],
  [{ host: 'localhost', origin: 'http://127.0.0.1' }, 200],
  [{ host: 'localhost', origin: 'https://evil.example' }, 403],
  [{ host: 'localhost', origin: 'http://localhost.evil.example' }, 403],
  [{ host: 'localhost', origin: 'null' }, 403],
  [{ host: 'localhost', origin: '' }, 403],
  [{ host: 'evil.example', 'x-forwarded-host': 'localhost' }, 403],
]);

rows('a loopback listener behind a reverse proxy', { resource: 'https://api.example.com/mcp' }, [
  [{ host: 'api.example.com' }, 200],
  [{ host: 'API.example.com:443' }, 200],
  [{ host: 'api.example.com', origin: 'https://app.example.org' }, 200],
  [{ host: 'localhost:3000', origin: 'https://api.example.com' }, 200],
  [{ host: 'localhost:3000', origin: 'https://app.example.org' }, 403],
  [{ host: 'example.com' }, 403],
  [{ host: 'xapi.example.com' }, 403],
]);

rows(
  'lists',
  { allowedHosts: ['mcp.example.com', 'other.example.com:8443'], allowedOrigins: ['https://app.example.com'] },
  [
    [{ host: 'mcp.example.com' }, 200],
    [{ host: 'mcp.example.com:3000' }, 200],
    [{ host: 'other.example.com:8443' }, 200],
    [{ host: 'other.example.com:8444' }, 403],
    [{ host: 'mcp.example.com', origin: 'https://app.example.com' }, 200],
    [{ host: 'mcp.example.com', origin: 'https://App.example.com' }, 200],
    [{ host: 'mcp.example.com', origin: 'http://app.example.com' }, 403],
    [{ host: 'mcp.example.com', origin: 'https://app.example.com.evil.example' }, 403],
  ],
);

rows('every origin, on a loopback listener', { allowedOrigins: ['*'] }, [
  [{ host: 'localhost:3000', origin: 'https://app.example.org' }, 200],
  [{ host: 'localhost:3000', origin: 'null' }, 200],
  [{ host: 'evil.example', origin: 'https://app.example.org' }, 403],
]);

const elsewhere = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

test.runIf(elsewhere)('a listener that others can reach lets every Host in, unless there is a list', async () => {
  for (const [allowedHosts, expected] of [
    [undefined, 200],
    [['mcp.example.com'], 403],
  ] as const) {
    const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED], ...(allowedHosts && { allowedHosts }) });
    const server = createServer((req, res) => backend(req, res, () => res.end()));
    await new Promise<void>((resolve) => server.listen(0, elsewhere, resolve));
    const url = `http://${elsewhere}:${(server.address() as AddressInfo).port}/`;
    expect((await status(url, { host: 'anything.example', origin: 'https://anything.example' }))[0]).toBe(expected);
    await backend.close();
    server.closeAllConnections();
    server.close();
  }
});

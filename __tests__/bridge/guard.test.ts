import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mcpStdioBackend } from '../../src/bridge/mcp-stdio-backend.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { configText } from '../support/config-text.js';
import { initialize, JSON_HEADERS } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { NODE, SCRIPTED, type Served, serve } from '../support/stdio-bridge.js';

/** fetch() sets Host and Origin itself, so this uses node:http. */
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

const externalAddress = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

test.runIf(externalAddress)(
  'a listener that other machines can reach accepts every Host, unless there is a list',
  async () => {
    for (const [allowedHosts, expected] of [
      [undefined, 200],
      [['mcp.example.com'], 403],
    ] as const) {
      const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED], ...(allowedHosts && { allowedHosts }) });
      const server = createServer((req, res) => backend(req, res, () => res.end()));
      await new Promise<void>((resolve) => server.listen(0, externalAddress, resolve));
      const url = `http://${externalAddress}:${(server.address() as AddressInfo).port}/`;
      expect((await status(url, { host: 'anything.example', origin: 'https://anything.example' }))[0]).toBe(expected);
      await backend.close();
      server.closeAllConnections();
      server.close();
    }
  },
);

const issuer = createTestIssuer();
const RESOURCE = 'https://api.example.com:8443/mcp';

/** Host and Origin, with the status that follows from the resource of the policy alone. */
const BEHIND_AUTH: Row[] = [
  [{ host: 'api.example.com' }, 200],
  [{ host: 'API.example.com:8443' }, 200],
  [{ host: 'api.example.com:3000' }, 200],
  [{ host: 'localhost:3000', origin: 'https://api.example.com:8443' }, 200],
  [{ host: 'localhost:3000', origin: 'https://api.example.com' }, 403],
  [{ host: 'api.example.com.evil.example' }, 403],
  [{ host: 'api.example.com@evil.example' }, 403],
  [{ host: 'evil.example/api.example.com' }, 403],
  [{ host: 'api.example.com/evil' }, 403],
  [{ host: 'evil.example', 'x-forwarded-host': 'api.example.com' }, 403],
];

describe.each(['strict', 'optional', 'permissive'] as const)('behind mcpAuth() in mode %s', (mode) => {
  const policy: McpAuthOptions = { ...issuer.policy({ resource: RESOURCE }), mode };
  const headers: Record<string, string> = mode === 'strict' ? { authorization: `Bearer ${issuer.token()}` } : {};
  let served: Served;
  beforeAll(async () => {
    served = await serve({ maxSessions: 1_000, maxSessionsPerUser: 1_000 }, 'Express 5', [mcpAuth(policy)]);
  });
  afterAll(() => served.stop());

  test.each(BEHIND_AUTH)('%j is answered %i, without a resource of the backend', async (row, expected) => {
    expect((await status(served.url, { ...headers, ...row }))[0]).toBe(expected);
  });
});

test('the resource of a policy counts for its own requests only', async () => {
  const served = await serve({ maxSessions: 1_000 });
  mcpAuth(issuer.policy({ resource: RESOURCE }));
  expect((await status(served.url, { host: 'api.example.com' }))[0]).toBe(403);
  await served.stop();
});

test('refusals are logged once a minute, in printable characters', async () => {
  const { lines, logger } = createRecordingLogger();
  const served = await serve({ logger });
  for (const host of ['evil.example', 'other.example']) await status(served.url, { host });
  const origin = `https://x.example${String.fromCharCode(0x9b)}\u00e9${'y'.repeat(200)}`;
  for (const _ of [1, 2]) await status(served.url, { host: 'localhost', origin });
  await served.stop();
  const fix = (option: string) => `see the option ${option} of mcpStdioBackend()`;
  expect(lines.filter((line) => line.includes('refused'))).toEqual([
    `warn mcpStdioBackend(): refused a request with Host "evil.example" (foreign_host): ${fix('allowedHosts')}`,
    expect.stringMatching(
      /^warn [ -~]*with Origin "https:\/\/x\.example\?+y{50,80}" \(foreign_origin\): [ -~]*allowedOrigins/,
    ),
  ]);
});

test('with a configuration file, a refusal names the member of the file', async () => {
  const { lines, logger } = createRecordingLogger();
  const targets = [{ stdio: { cmd: NODE, args: [SCRIPTED] } }];
  const text = configText({ bind: { port: 0 }, route: { backends: [{ mcp: { targets } }] } });
  const gateway = createGateway(parseConfigFile(text, '/'), logger);
  const [address] = await gateway.listen('127.0.0.1');
  const fix =
    'set binds[0].listeners[0].routes[0].policies.mcpAuthentication.resourceMetadata.resource to the address that clients use, or make the proxy send "Host: localhost"';
  const [code, body] = await status(`http://${address}/mcp`, { host: 'backend:3000' });
  expect([code, JSON.parse(body).error.message]).toEqual([403, `The Host header is not allowed here: ${fix}`]);
  const foreignOrigin = { host: 'localhost', origin: 'https://evil.example' };
  expect((await status(`http://${address}/mcp`, foreignOrigin))[1]).toMatch(
    /routes\[0\]\.policies\.cors\.allowOrigins/,
  );
  await gateway.close();
  expect(lines.filter((line) => line.includes('refused'))).toHaveLength(2);
});

import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { DEFAULT_ADMIN, type ProcessConfig } from '../../src/gateway/config/process-settings.js';
import { answer, authentication, scripted, serveFile } from '../support/file-gateway.js';
import { AUTHENTICATION, makeGatewayFolder } from '../support/gateway-folder.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { ANY, openServers } from '../support/operator-servers.js';
import { sendRaw } from '../support/raw-request.js';

const get = async (url: string, init?: RequestInit): Promise<[number, unknown]> => {
  const response = await fetch(url, init);
  return [response.status, await response.json()];
};

/** Serves a file, and resolves to what `/readyz` says of it. */
async function readinessOf(file: object, folder?: string): Promise<[number, unknown]> {
  const { gateway } = await serveFile(file, folder === undefined ? {} : { folder });
  const { origin } = await openServers({ health: ANY }, gateway);
  // The first check may take longer than a probe waits.
  for (;;) {
    const answer = await get(`${origin}/readyz`);
    if (!JSON.stringify(answer).includes('the first check is still running')) return answer;
  }
}

const READY = [200, { ready: true }];
const notReady = (...problems: string[]) => [503, { ready: false, problems }];
const MISSING = 'mcp: the MCP server is not there, or cannot be reached';

describe('/healthz and /readyz', () => {
  test.each<[string, ProcessConfig]>([
    ['the admin address', { admin: ANY }],
    ['the address for health', { health: ANY }],
  ])('are at %s', async (_where, config) => {
    const { origin } = await openServers(config);
    expect(await get(`${origin}/healthz`)).toEqual([200, { alive: true }]);
    for (const path of ['/readyz', '/healthz/ready']) expect(await get(origin + path)).toEqual(READY);
    expect(await get(`${origin}/config`)).toEqual([
      404,
      { error: 'not_found', paths: expect.arrayContaining(['/healthz', '/readyz', '/healthz/ready']) },
    ]);
    expect(await get(`${origin}/readyz`, { method: 'POST' })).toEqual([405, { error: 'method_not_allowed' }]);
    expect((await fetch(`${origin}/readyz`, { method: 'HEAD' })).status).toBe(200);
  });

  test('answer only requests for a name of this machine on a loopback address', async () => {
    const { origin, lines } = await openServers({ admin: ANY });
    const { port } = new URL(origin);
    const statusFor = async (host: string) =>
      (await sendRaw(origin, `GET /readyz HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)).split(' ')[1];
    for (const host of [`127.0.0.1:${port}`, 'localhost', `LOCALHOST:${port}`, '[::1]'])
      expect(await statusFor(host)).toBe('200');
    for (const host of ['evil.example', `localhost.evil.example:${port}`, '10.0.0.1'])
      expect(await statusFor(host)).toBe('403');
    expect(lines).toEqual([expect.stringMatching(/^warn 127\.0\.0\.1:0 refused a request with a foreign Host header/)]);
  });

  test.each(['127.1', 'LOCALHOST', '::ffff:7f00:1'])('refuse a foreign Host also at %s', async (host) => {
    const { origin } = await openServers({ admin: { host, port: 0 } });
    const { port } = new URL(origin);
    const response = await sendRaw(
      `http://127.0.0.1:${port}`,
      'GET /readyz HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n',
    );
    expect(response.split(' ')[1]).toBe('403');
  });
});

describe('/readyz says', () => {
  test('ready where the programs are there and the keys can be read', async () => {
    const folder = await makeGatewayFolder();
    onTestFinished(folder.remove);
    const policies = { mcpAuthentication: AUTHENTICATION };
    const file = { mcp: { port: 0, targets: [scripted('one')], policies } };
    expect(await readinessOf(file, folder.path)).toEqual(READY);
  });

  test.each<[string, object]>([
    ['a program that is not there', { stdio: { cmd: 'no-such-program' } }],
    ['a remote server that cannot be reached', { mcp: { host: 'http://127.0.0.1:1/mcp' } }],
  ])('not ready for %s, alone and beside another', async (_what, target) => {
    const bad = { name: 'bad', ...target };
    expect(await readinessOf({ mcp: { port: 0, targets: [bad] } })).toEqual(notReady(MISSING));
    expect(await readinessOf({ mcp: { port: 0, targets: [scripted('good'), bad] } })).toEqual(
      notReady(MISSING.replace('MCP server', 'target bad')),
    );
  });

  test('not ready where the keys of an issuer cannot be fetched', async () => {
    const policies = authentication('http://localhost:3000/mcp');
    expect(await readinessOf({ mcp: { port: 0, targets: [scripted('one')], policies } })).toEqual(
      notReady('mcp.policies.mcpAuthentication: the keys of an issuer cannot be read'),
    );
  });

  test('not ready once the gateway drains, before and after the last answer', async () => {
    const { gateway } = await serveFile({
      gateways: { default: { port: 0 } },
      routes: [{ policies: answer('hello') }],
    });
    const { origin } = await openServers({ health: ANY }, gateway);
    expect(await get(`${origin}/readyz`)).toEqual(READY);
    const drained = gateway.drain();
    expect(await get(`${origin}/readyz`)).toEqual(notReady('the command is shutting down'));
    await drained;
    expect(await get(`${origin}/healthz`)).toEqual([200, { alive: true }]);
    expect(await get(`${origin}/readyz`)).toEqual(notReady('the command is shutting down'));
  });

  test('the result of one check to many probes, and not ready while the first check takes long', async () => {
    let asked = 0;
    const silent = createServer(() => {
      asked++;
    });
    await listen(silent);
    onTestFinished(() => stop(silent));
    const { gateway } = await serveFile({
      mcp: { port: 0, targets: [{ name: 'one', mcp: { host: originOf(silent) } }] },
    });
    const before = performance.now();
    const probes = await Promise.all(Array.from({ length: 20 }, () => gateway.problems()));
    expect(performance.now() - before).toBeLessThan(8_000);
    expect(probes.flat()).toEqual(probes.map(() => 'the first check is still running'));
    expect(asked).toBe(1);
  });
});

describe('an address that is taken', () => {
  const takenPort = async () => {
    const server = createServer();
    await listen(server);
    onTestFinished(() => stop(server));
    return Number(new URL(originOf(server)).port);
  };

  test.each([
    ['admin', '--admin or config.adminAddr'],
    ['health', '--health or config.readinessAddr'],
    ['stats', 'config.statsAddr'],
  ])('is refused if the user chose it: %s', async (name, setting) => {
    const address = { host: '127.0.0.1', port: await takenPort() };
    await expect(openServers({ admin: 'off', [name]: address })).rejects.toThrow(
      `127.0.0.1:${address.port} cannot be opened (another program uses it): choose another address in ${setting}`,
    );
  });

  test('one of another machine is refused in plain words', async () => {
    await expect(openServers({ admin: 'off', health: { host: '192.0.2.1', port: 0 } })).rejects.toThrow(
      '192.0.2.1:0 cannot be opened (it is not an address of this machine)',
    );
  });

  test('is one warning for the default admin address', async () => {
    const server = createServer();
    onTestFinished(() => stop(server));
    const openBeside = async () => {
      if (!server.listening) await listen(server, DEFAULT_ADMIN.port).catch(() => undefined);
      return openServers({ admin: DEFAULT_ADMIN, health: ANY });
    };
    let opened = await openBeside();
    // Another test may have had the port, and have given it back.
    while (!server.listening && opened.lines.length === 0) {
      await opened.close();
      opened = await openBeside();
    }
    const { notes, lines } = opened;
    expect(notes).toHaveLength(1);
    expect(lines).toEqual([
      'warn no admin address: 127.0.0.1:15000 cannot be opened (another program uses it). Choose another one with --admin, or --admin off',
    ]);
  });
});

const TLS = 'the password is sent without encryption, so put a proxy with TLS in front. /metrics needs no password';
test.each<[string, ProcessConfig, string]>([
  ['without a password', {}, 'use --health for probes from there'],
  ['with a password', { adminPassword: { text: 'correct horse battery' } }, TLS],
])('an admin address %s that other machines can reach is opened with a warning', async (_what, more, advice) => {
  const { origin, lines } = await openServers({ admin: { host: '0.0.0.0', port: 0 }, ...more });
  expect(await get(`${origin.replace('0.0.0.0', '127.0.0.1')}/readyz`)).toEqual(READY);
  expect(lines).toEqual([`warn the admin address 0.0.0.0:0 can be reached from other machines: ${advice}`]);
});

describe('the section config of a file', () => {
  const parse = (config: object) =>
    parseConfigFile(JSON.stringify({ config, mcp: { targets: [scripted('one')] } }), '/').process;

  test.each<[object, ProcessConfig]>([
    [{}, {}],
    [{ adminAddr: 'off' }, { admin: 'off' }],
    [{ adminAddr: 'localhost:15000' }, { admin: { host: '127.0.0.1', port: 15_000 } }],
    [{ readinessAddr: '0.0.0.0:15021' }, { health: { host: '0.0.0.0', port: 15_021 } }],
    [{ readinessAddr: '[::]:15021' }, { health: { host: '::', port: 15_021 } }],
    [{ statsAddr: '127.0.0.1:15020' }, { stats: { host: '127.0.0.1', port: 15_020 } }],
    [{ statsAddr: 'off' }, {}],
    [{ keepAliveTimeout: '2m' }, { keepAliveSeconds: 120 }],
    [
      { headersTimeout: '10s', requestTimeout: '1m' },
      { headersSeconds: 10, requestSeconds: 60 },
    ],
    [
      { connectionTerminationDeadline: '30s', connectionMinTerminationDeadline: '5s' },
      { drainSeconds: 30, minDrainSeconds: 5 },
    ],
  ])('%j', (config, settings) => {
    expect(parse(config)).toEqual(settings);
  });

  test('a requestTimeout below the default of headersTimeout is enough by itself', async () => {
    const routes = [{ policies: answer('hello') }];
    const { origin } = await serveFile({
      config: { requestTimeout: '5s' },
      gateways: { default: { port: 0 } },
      routes,
    });
    expect((await fetch(origin)).status).toBe(200);
  });

  const ADDRESS = 'must be an address and a port, such as "0.0.0.0:15021", but is ';
  test.each<[object, string]>([
    ...['15021', 'localhost', 'http://localhost:15021', '[::1:15021', '[:::::]:15021', 'a:70000', 'a b:1'].map(
      (readinessAddr): [object, string] => [
        { readinessAddr },
        `readinessAddr ${ADDRESS}${JSON.stringify(readinessAddr)}`,
      ],
    ),
    [{ statsAddr: 'on' }, `statsAddr ${ADDRESS}"on"`],
    [{ adminAddr: 15_000 }, 'adminAddr must be text: put the number in quotes'],
    [{ keepAliveTimeout: '0s' }, 'keepAliveTimeout must be from 1s to 86400s'],
    [{ connectionTerminationDeadline: '2h' }, 'connectionTerminationDeadline must be from 0s to 3600s'],
    [
      { headersTimeout: '2m', requestTimeout: '1m' },
      'headersTimeout is longer than requestTimeout, which is 60s: raise that too',
    ],
    [{ headersTimeout: '6m' }, 'headersTimeout is longer than requestTimeout, which is 300s: raise that too'],
    [
      { connectionMinTerminationDeadline: '20s' },
      'connectionMinTerminationDeadline is longer than connectionTerminationDeadline, which is 10s: raise that too',
    ],
  ])('%j is refused', (config, message) => {
    expect(() => parse(config)).toThrow(`config.${message}`);
  });
});

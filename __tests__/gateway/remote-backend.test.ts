import { generateKeyPairSync } from 'node:crypto';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { CLIENT, SERVER } from '../support/certificates.js';
import { route } from '../support/config-text.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { listen, stop } from '../support/loopback-server.js';
import { initialize, JSON_HEADERS } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { startRecordingTarget } from '../support/recording-target.js';

const at = `${route}.backends[0].mcp.targets[0]`;
const KEYS_PATH = '/.well-known/express-mcp-auth/caller-jwks.json';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  return () => folder.remove();
});

/** A gateway with these targets at /0, /1 …, which was not started. */
function open(...targets: object[]) {
  const routes = targets.map((target, index) => ({
    matches: [{ path: { exact: `/${index}` } }],
    policies: { mcpAuthentication: AUTHENTICATION },
    backends: [{ mcp: { targets: [target] } }],
  }));
  return openRoutes(routes);
}

function openRoutes(routes: object[]) {
  const { lines, logger } = createRecordingLogger();
  const text = JSON.stringify({ binds: [{ port: 0, listeners: [{ routes }] }] });
  const gateway = createGateway(parseConfigFile(text, folder.path), logger);
  onTestFinished(() => gateway.close());
  return { gateway, lines };
}

async function serve(...targets: object[]): Promise<string> {
  const [address] = await open(...targets).gateway.listen('127.0.0.1');
  return `http://${address}`;
}

const start = (url: string, token = folder.token()) =>
  fetch(url, {
    method: 'POST',
    headers: { ...JSON_HEADERS, authorization: `Bearer ${token}` },
    body: JSON.stringify(initialize()),
  });

describe('a route with a remote target', () => {
  test('passes requests with a token on, and no token of a client', async () => {
    const target = await startRecordingTarget();
    const url = `${await serve({ name: 'notes', mcp: { host: target.url } })}/0`;
    expect((await fetch(url, { method: 'POST' })).status).toBe(401);
    const token = folder.token();
    const response = await start(url, token);
    expect([response.status, response.headers.has('mcp-session-id')]).toEqual([200, true]);
    expect(target.arrived.map(({ method, url: path }) => [method, path])).toEqual([['POST', '/mcp']]);
    expect(target.bytes()).not.toContain(token);
  });

  test('sends the key of backendAuth, from a file, and the headers of requestHeaderModifier', async () => {
    await folder.write('target-key', 'sk-notes-1234\n');
    const target = await startRecordingTarget();
    const policies = {
      backendAuth: { key: { file: 'target-key' } },
      requestHeaderModifier: { set: { 'X-Tenant': 'a' }, remove: ['User-Agent'] },
    };
    expect((await start(`${await serve({ mcp: { host: target.url }, policies })}/0`)).status).toBe(200);
    const { authorization, 'x-tenant': tenant, 'user-agent': agent } = target.arrived[0]?.headers ?? {};
    expect([authorization, tenant, agent]).toEqual(['Bearer sk-notes-1234', 'a', undefined]);
  });

  test('sends callerToken, and serves one key set for all routes', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    await folder.write('caller.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    const target = await startRecordingTarget();
    const callerToken = { issuer: 'https://mcp.example/callers', key: { file: 'caller.pem' } };
    const own = { issuer: 'https://mcp.example/callers' };
    const [first, second] = [callerToken, own].map((token) => ({ mcp: { host: target.url, callerToken: token } }));
    const origin = await serve({ ...first }, { ...second }, { ...first });
    for (const index of [0, 1]) expect((await start(`${origin}/${index}`)).status).toBe(200);
    const keys = createRemoteJWKSet(new URL(origin + KEYS_PATH));
    const algorithms = [];
    for (const { headers } of target.arrived) {
      const token = headers.authorization?.replace('Bearer ', '') ?? '';
      const expected = { issuer: 'https://mcp.example/callers', audience: target.url };
      const { payload, protectedHeader } = await jwtVerify(token, keys, expected);
      algorithms.push(protectedHeader.alg);
      expect(payload).toMatchObject({ sub: expect.any(String), client_id: expect.any(String) });
    }
    expect(algorithms).toEqual(['EdDSA', 'ES256']);
    const { keys: published } = (await (await fetch(origin + KEYS_PATH)).json()) as { keys: object[] };
    expect(published).toHaveLength(2);
    expect(published.some((key) => 'd' in key)).toBe(false);
  });

  test('has no key set without callerToken', async () => {
    const origin = await serve({ mcp: { host: 'http://127.0.0.1:1/mcp' } });
    expect((await fetch(origin + KEYS_PATH)).status).toBe(404);
  });

  test('reaches its target with the certificates of backendTLS', async () => {
    await folder.write('root.pem', SERVER.cert);
    await folder.write('client.pem', CLIENT.cert);
    await folder.write('client.key', CLIENT.key);
    const names: unknown[] = [];
    const options = { ...SERVER, requestCert: true, rejectUnauthorized: false };
    const server = createTlsServer(options, (req, res) => {
      names.push((req.socket as { getPeerCertificate?: () => { subject: object } }).getPeerCertificate?.().subject);
      res.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}');
    });
    await listen(server);
    onTestFinished(() => stop(server));
    const mcp = { host: '127.0.0.1', port: (server.address() as AddressInfo).port, path: '/mcp' };
    const backendTLS = { root: 'root.pem', cert: 'client.pem', key: 'client.key' };
    expect((await start(`${await serve({ mcp, policies: { backendTLS } })}/0`)).status).toBe(200);
    expect(names).toEqual([{ CN: 'a' }]);
    // Without the file's root, the certificate is not trusted.
    expect((await start(`${await serve({ mcp, policies: { backendTLS: {} } })}/0`)).status).toBe(502);
  });
});

const keys = [{ keyHash: `sha256:${'0'.repeat(64)}` }];
const warning =
  `warn ${at}.mcp: ${at}.policies.backendAuth lets anyone who can connect call the MCP server with the rights of this gateway, ` +
  'because the route lets anonymous callers in. Require a token (mode: strict), or listen where only trusted callers can connect.';

test.each([
  ['without a login warns', {}, [warning]],
  ['with an optional login warns', { apiKey: { keys } }, [warning]],
  ['with a strict login starts without a warning', { apiKey: { keys, mode: 'strict' } }, []],
])('a route %s if its target gets a secret, on loopback too', (_what, policies, expected) => {
  const mcp = { host: 'http://localhost:8080/mcp' };
  const linesOf = (target: object) => openRoutes([{ backends: [{ mcp: { targets: [target] } }], policies }]).lines;
  expect(linesOf({ mcp, policies: { backendAuth: { key: 'secret' } } })).toEqual(expected);
  expect(linesOf({ mcp })).toEqual([]);
});

test('a refusal of the target names the credentials as the file does', async () => {
  const target = await startRecordingTarget((_arrived, res) => res.writeHead(401).end());
  const policies = { backendAuth: { key: 'secret' }, requestHeaderModifier: { set: { 'x-tenant': 'a' } } };
  const { gateway, lines } = open({ mcp: { host: target.url }, policies });
  const [address] = await gateway.listen('127.0.0.1');
  expect((await start(`http://${address}/0`)).status).toBe(502);
  expect(lines.join('\n')).toContain('credentials sent: backendAuth and requestHeaderModifier (x-tenant); no WWW-Auth');
});

describe('plain http to another machine', () => {
  const mcp = { host: 'http://notes:8080/mcp' };

  test('starts with one warning', () => {
    expect(open({ mcp }).lines).toEqual([
      `warn ${at}.mcp.host: http://notes:8080 is plain http on another machine: others can read and change ` +
        'messages on the way. Use https, or write dangerouslyAllowHttp: true beside host if the network is yours alone.',
    ]);
  });

  test('starts without a warning where the file allows it, or the machine is this one', () => {
    const backendAuth = { key: 'secret' };
    const allowed = { ...mcp, dangerouslyAllowHttp: true };
    expect(open({ mcp: allowed, policies: { backendAuth } }).lines).toEqual([]);
    expect(open({ mcp: { host: 'http://localhost:8080/mcp' }, policies: { backendAuth } }).lines).toEqual([]);
  });

  test.each([
    ['backendAuth', { mcp, policies: { backendAuth: { key: 'secret' } } }, `${at}.policies.backendAuth`],
    [
      'headers',
      { mcp, policies: { requestHeaderModifier: { set: { 'x-key': 'secret' } } } },
      `${at}.policies.requestHeaderModifier.set`,
    ],
    ['callerToken', { mcp: { ...mcp, callerToken: { issuer: 'https://a.example' } } }, `${at}.mcp.callerToken`],
  ])('is refused where %s would send a secret', (_what, target, secret) => {
    expect(() => open(target)).toThrow(
      `${at}.mcp.host is plain http on another machine, and ${secret} would send a secret to it: use https, or ` +
        'write dangerouslyAllowHttp: true beside host if the network is yours alone',
    );
  });
});

describe('a file with a remote target is refused', () => {
  const mcp = { host: 'https://notes.example/mcp' };
  const cases: ReadonlyArray<readonly [what: string, target: object, message: string | RegExp]> = [
    [
      'for a key that is not valid in a header',
      { mcp, policies: { backendAuth: { key: 'Bearer secret' } } },
      `${at}.policies.backendAuth: mcpHttpBackend(): option "key" must be a token, without "Bearer" and spaces. Give the token alone.`,
    ],
    [
      'for a file that is not there',
      { mcp, policies: { backendAuth: { key: { file: 'missing' } } } },
      /\.policies\.backendAuth: .*\/missing: the file does not exist$/,
    ],
    [
      'for a root that is no certificate',
      { mcp, policies: { backendTLS: { root: 'pub-key' } } },
      /\.policies\.backendTLS: root cannot be used: .*\/pub-key has no certificate in PEM$/,
    ],
    [
      'for a header of the connection',
      { mcp, policies: { requestHeaderModifier: { set: { Host: 'a' } } } },
      /requestHeaderModifier\.set\.Host must be the name of a header that is not about the connection/,
    ],
    [
      'for an option that cannot be',
      { mcp: { ...mcp, maxSessions: 0 } },
      `${at}.mcp: mcpHttpBackend(): option "maxSessions" must be a whole number of at least 1, but got 0. The default is 10000.`,
    ],
    [
      'for two logins at the target',
      { mcp: { ...mcp, callerToken: { issuer: 'https://a.example' } }, policies: { backendAuth: { key: 'a' } } },
      `${at}.policies.backendAuth and ${at}.mcp.callerToken both set Authorization: remove one of them`,
    ],
    [
      'for a login in a header beside another',
      {
        mcp,
        policies: { backendAuth: { key: 'a' }, requestHeaderModifier: { set: { authorization: 'Basic b' } } },
      },
      `${at}.policies.backendAuth and ${at}.policies.requestHeaderModifier.set.authorization both set Authorization: remove one of them`,
    ],
  ];
  test.each(cases)('%s', (_what, target, message) => {
    expect(() => open(target)).toThrow(message);
    expect(() => open(target)).toThrow(expect.objectContaining({ name: 'StartupError' }));
  });

  test('for the issuer of the OAuth proxy as that of callerToken', () => {
    const resource = 'https://mcp.example/mcp';
    const mcpAuthentication = {
      ...AUTHENTICATION,
      provider: { standard: {} },
      clientId: 'a',
      resourceMetadata: { resource },
    };
    const target = { mcp: { ...mcp, callerToken: { issuer: resource } } };
    const routes = [{ policies: { mcpAuthentication }, backends: [{ mcp: { targets: [target] } }] }];
    const config = parseConfigFile(JSON.stringify({ binds: [{ port: 0, listeners: [{ routes }] }] }), folder.path);
    expect(() => createGateway(config, createRecordingLogger().logger)).toThrow(
      `${at}.mcp.callerToken.issuer is the issuer of the OAuth proxy: choose another URL`,
    );
  });
});

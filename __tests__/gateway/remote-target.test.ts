import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HTTP_TABLE } from '../../src/bridge/http/http-options.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { HTTP_OPTIONS } from '../../src/gateway/schema/backend-keys.js';

import { configText, route } from '../support/config-text.js';

const at = `${route}.backends[0].mcp.targets[0]`;

const read = (target: object, policies: object = {}) =>
  parseConfigFile(configText({ route: { policies, backends: [{ mcp: { targets: [target] } }] } }), '/etc/gateway')
    .binds[0]?.listeners[0]?.routes[0]?.backend?.targets[0]?.server;

describe('a remote target', () => {
  test.each([
    [{ host: 'http://mcp-server:8080/mcp/' }, 'http://mcp-server:8080/mcp/'],
    [{ host: 'https://mcp.example.com/v1/mcp?tenant=7' }, 'https://mcp.example.com/v1/mcp?tenant=7'],
    [{ host: 'mcp.example.com' }, 'http://mcp.example.com/'],
    [{ host: 'mcp.example.com:8443' }, 'http://mcp.example.com:8443/'],
    [{ host: 'http://notes/mcp\n' }, 'http://notes/mcp'],
    [{ host: 'notes', port: 8000, path: '/mcp' }, 'http://notes:8000/mcp'],
    [{ host: '::1', port: 8000, path: '/mcp' }, 'http://[::1]:8000/mcp'],
    [{ host: '[::1]', port: 8000, path: '/mcp?a=b' }, 'http://[::1]:8000/mcp?a=b'],
  ])('%j is reached at %s', (mcp, url) => {
    expect(read({ name: 'notes', mcp })).toEqual({ url: new URL(url), options: {}, at: `${at}.mcp` });
  });

  test('is reached over https where the file has backendTLS', () => {
    const mcp = { host: 'notes', port: 8000, path: '/mcp' };
    const backendTLS = { root: 'ca.pem', cert: './client.pem', key: '/keys/client.key', hostname: 'notes' };
    expect(read({ mcp, policies: { backendTLS } })).toEqual({
      url: new URL('https://notes:8000/mcp'),
      options: {},
      backendTls: {
        root: { file: '/etc/gateway/ca.pem' },
        cert: { file: '/etc/gateway/client.pem' },
        key: { file: '/keys/client.key' },
        at: `${at}.policies.backendTLS`,
      },
      at: `${at}.mcp`,
    });
  });

  test('has options of mcpHttpBackend() beside host, by their own names', () => {
    const options = { maxSessions: 5, requestHeaders: ['x-tenant'], callerToken: { issuer: 'https://a.example' } };
    expect(read({ mcp: { host: 'http://localhost:1/mcp', ...options } })).toMatchObject({ options });
  });

  test('takes each option of mcpHttpBackend() that a file can say, there or from a policy', () => {
    const elsewhere = ['url', 'headers', 'bearer', 'ca', 'cert', 'key', 'retry'];
    const ofTheCommand = ['resource', 'allowedOrigins', 'warnWhenOpen', 'logger', 'onCall', 'recordContent'];
    expect([...Object.keys(HTTP_OPTIONS), ...elsewhere, ...ofTheCommand].toSorted()).toEqual(
      Object.keys(HTTP_TABLE).toSorted(),
    );
  });

  test.each([
    [{ key: 'secret' }, { text: 'secret' }],
    [{ key: { file: 'key.txt' } }, { file: resolve('/etc/gateway/key.txt') }],
    [{ key: { value: 'secret' } }, { text: 'secret' }],
    [{ key: { value: { file: 'key.txt' } } }, { file: resolve('/etc/gateway/key.txt') }],
  ])('backendAuth %j is read in both places where agentgateway has it', (backendAuth, key) => {
    const mcp = { host: 'https://mcp.example.com/mcp' };
    expect(read({ mcp, policies: { backendAuth } })).toMatchObject({
      backendAuth: { key, at: `${at}.policies.backendAuth` },
    });
    expect(read({ mcp }, { backendAuth })).toMatchObject({
      backendAuth: { key, at: `${route}.policies.backendAuth` },
    });
  });

  test('a policy of the target overrides that of the route', () => {
    const policies = (key: string) => ({ backendAuth: { key } });
    expect(
      read({ mcp: { host: 'https://a.example/mcp' }, policies: policies('own') }, policies('route')),
    ).toMatchObject({
      backendAuth: { key: { text: 'own' }, at: `${at}.policies.backendAuth` },
    });
  });

  test('requestHeaderModifier sets headers, and keeps those of clients back', () => {
    const requestHeaderModifier = { set: { 'x-tenant': 'a', 'x-empty': '' }, remove: ['User-Agent'] };
    expect(read({ mcp: { host: 'https://a.example/mcp' }, policies: { requestHeaderModifier } })).toMatchObject({
      headers: [{ values: { 'x-tenant': 'a', 'x-empty': '', 'user-agent': undefined } }],
    });
  });

  test.each(['set', 'add'])('requestHeaderModifier refuses to remove a header that is also in %s', (member) => {
    const requestHeaderModifier = { [member]: { 'x-tenant': 'a' }, remove: ['X-Tenant'] };
    const policies = { requestHeaderModifier };
    expect(() => read({ mcp: { host: 'https://a.example/mcp' }, policies })).toThrow(
      'requestHeaderModifier.remove has x-tenant, which is also in add or set, and would not be sent: write it once',
    );
  });

  test('names the file of the key of callerToken from beside the configuration file', () => {
    const callerToken = { issuer: 'https://a.example', key: { file: 'caller.pem' } };
    expect(read({ mcp: { host: 'https://a.example/mcp', callerToken } })).toMatchObject({
      callerKey: { file: resolve('/etc/gateway/caller.pem') },
    });
  });
});

describe('parseConfigFile refuses in a remote target', () => {
  const mcp = { host: 'https://notes.example/mcp' };
  const tls = (backendTLS: object) => ({ mcp, policies: { backendTLS } });
  const auth = (backendAuth: unknown) => ({ mcp, policies: { backendAuth } });
  const expected = 'must be an http or https URL, or a name';
  const cases: ReadonlyArray<readonly [target: object, message: string]> = [
    [{ mcp, stdio: { cmd: 'x' } }, `${at} must have either stdio or mcp`],
    [{ mcp: {} }, `${at}.mcp.host is missing`],
    [{ mcp: { hots: 'a' } }, `${at}.mcp.hots is not supported. Did you mean "host"?`],
    [{ mcp: { host: 'a', port: 1 } }, `${at}.mcp.port needs path beside it; or write a URL as host`],
    [{ mcp: { host: 'a', path: '/' } }, `${at}.mcp.path needs port beside it; or write a URL as host`],
    [{ mcp: { host: 'a', port: 1, path: 'mcp' } }, `${at}.mcp.path must begin with "/", but is "mcp"`],
    [
      { mcp: { host: 'http://a', port: 1, path: '/' } },
      `${at}.mcp.host must be a name without "://" where there are port and path`,
    ],
    [{ mcp: { host: 'ftp://a/' } }, `${at}.mcp.host ${expected}, without spaces`],
    [{ mcp: { host: 'a b' } }, `${at}.mcp.host ${expected}, without spaces`],
    [{ mcp: { host: 'a\nb' } }, `${at}.mcp.host ${expected}, without spaces`],
    [{ mcp: { host: 'a', port: 1, path: '/b\tc' } }, `${at}.mcp.host ${expected}, without spaces`],
    ...['a/b', 'a?b', 'a\\b', 'http:\\\\a'].map((host): [object, string] => [
      { mcp: { host, port: 1, path: '/' } },
      `${at}.mcp.host must be a name without "/" where there are port and path`,
    ]),
    [{ mcp: { host: 'https://me:secret@a/' } }, `${at}.mcp.host ${expected}, without user and password`],
    [{ mcp: { host: 'https://a/#b' } }, `${at}.mcp.host ${expected}, without "#"`],
    [
      { mcp: { host: 'http://a/' }, policies: { backendTLS: {} } },
      `${at}.mcp.host must begin with https:// where there is backendTLS`,
    ],
    [{ mcp: { url: 'a' } }, `${at}.mcp.url is not supported. Write "host".`],
    [
      { mcp: { ...mcp, headers: { 'x-user': 'a' } } },
      `${at}.mcp.headers is not supported. Write policies.requestHeaderModifier: { set: { NAME: VALUE } } beside mcp.`,
    ],
    [
      { mcp: { ...mcp, bearer: 'a' } },
      `${at}.mcp.bearer is not supported. Write policies.backendAuth: { key: SECRET } beside mcp.`,
    ],
    ...['ca', 'cert', 'key'].map((name): [object, string] => [
      { mcp: { ...mcp, [name]: 'a.pem' } },
      `${at}.mcp.${name} is not supported. Write policies.backendTLS: { root: FILE, cert: FILE, key: FILE } beside mcp.`,
    ]),
    [
      { mcp: { ...mcp, allowedOrigins: ['*'] } },
      `${at}.mcp.allowedOrigins is not supported. Write policies.cors.allowOrigins in the route.`,
    ],
    ...['./caller-key.pem', 'caller-key.pem', '/etc/keys/caller'].map((key): [object, string] => [
      { mcp: { ...mcp, callerToken: { issuer: 'https://a.example', key } } },
      `${at}.mcp.callerToken.key must be the key itself, and not the name of its file. Write { file: NAME }.`,
    ]),
    [tls({ hostname: 'b.example' }), `${at}.policies.backendTLS.hostname is not supported, except "notes.example"`],
    [tls({ cert: 'a' }), `${at}.policies.backendTLS.cert needs key beside it`],
    [tls({ key: 'a' }), `${at}.policies.backendTLS.key needs cert beside it`],
    [
      tls({ insecure: true }),
      `${at}.policies.backendTLS.insecure is not supported. Supported here: root, cert, key, hostname.`,
    ],
    [auth({}), `${at}.policies.backendAuth must have one of key, jwtSign and upstreamToken`],
    [
      auth({ passthrough: {} }),
      `${at}.policies.backendAuth.passthrough is not supported: a client's token never goes on to a target. Use callerToken beside host, key or jwtSign.`,
    ],
    [auth({ key: 7 }), `${at}.policies.backendAuth.key must be text: put the number in quotes`],
    [auth({ key: { value: 'a', location: {} } }), `${at}.policies.backendAuth.key.location.header is missing`],
    [
      {
        mcp: { host: 'https://a.example', requestHeaders: ['X-A'] },
        policies: { requestHeaderModifier: { add: { 'x-a': '' } } },
      },
      `${at}.policies.requestHeaderModifier must have x-a in set and not in add, since requestHeaders forwards it too`,
    ],
    [
      { mcp, policies: { requestHeaderModifier: { set: { 'X-A': 'b', 'x-a': 'b' } } } },
      `${at}.policies.requestHeaderModifier.set.x-a is written twice, with different capitals`,
    ],
    [
      { stdio: { cmd: 'x' }, policies: { backendAuth: { key: 'a' } } },
      `${at}.policies.backendAuth is about a connection, and a stdio target has none`,
    ],
  ];
  test.each(cases)('%j', (target, message) => {
    expect(() => read(target)).toThrow(message);
    expect(() => read(target)).toThrow(expect.objectContaining({ name: 'StartupError', message }));
  });
});

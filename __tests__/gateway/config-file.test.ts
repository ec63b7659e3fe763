import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { configText, route } from '../support/config-text.js';

const directory = resolve('/etc/gateway');

describe('parseConfigFile', () => {
  test('reads a route with its matches, policies and stdio target', () => {
    const text = configText({
      listener: { name: 'default', hostname: '*', protocol: 'HTTP' },
      route: {
        name: 'everything',
        matches: [{ path: { exact: '/mcp' } }, { path: { pathPrefix: '/tools/' } }],
        policies: {
          cors: { allowOrigins: ['*'], allowHeaders: ['*'], exposeHeaders: ['Mcp-Session-Id'] },
          mcpAuthentication: { issuer: 'agentgateway.dev', jwks: { file: './pub-key' }, provider: { keycloak: {} } },
        },
      },
    });
    expect(parseConfigFile(text, directory)).toEqual({
      binds: [
        {
          port: 3000,
          at: 'binds[0]',
          listeners: [
            {
              at: 'binds[0].listeners[0]',
              hostname: '*',
              routes: [
                {
                  at: route,
                  name: 'everything',
                  label: 'everything',
                  hostnames: [],
                  written: expect.anything(),
                  responseHeaderModifiers: [],
                  matches: [
                    { path: { kind: 'exact', path: '/mcp' }, headers: [], query: [], at: `${route}.matches[0]` },
                    { path: { kind: 'pathPrefix', path: '/tools' }, headers: [], query: [], at: `${route}.matches[1]` },
                  ],
                  cors: {
                    at: `${route}.policies.cors`,
                    options: {
                      allowedOrigins: ['*'],
                      allowedHeaders: ['*'],
                      exposedHeaders: ['Mcp-Session-Id'],
                      methods: ['GET', 'HEAD', 'POST'],
                      credentials: false,
                    },
                  },
                  mcpAuthentication: {
                    at: `${route}.policies.mcpAuthentication`,
                    policy: {
                      issuer: 'agentgateway.dev',
                      jwks: { file: resolve(directory, 'pub-key') },
                      provider: { keycloak: {} },
                    },
                  },
                  backend: {
                    at: `${route}.backends[0].mcp`,
                    isJoined: false,
                    options: {},
                    targets: [
                      {
                        name: 'everything',
                        at: `${route}.backends[0].mcp.targets[0]`,
                        server: {
                          command: 'npx',
                          args: ['@modelcontextprotocol/server-everything'],
                          env: {},
                          options: {},
                          saysWhatItInherits: false,
                          at: `${route}.backends[0].mcp.targets[0].stdio`,
                        },
                      },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
      process: {},
    });
  });

  test('matches every path if a route has no matches, as agentgateway does', () => {
    const backends = [{ mcp: { targets: [{ stdio: { cmd: 'x' } }] } }];
    const [bind] = parseConfigFile(
      JSON.stringify({ binds: [{ port: 1, listeners: [{ routes: [{ backends }] }] }] }),
      directory,
    ).binds;
    expect(bind?.listeners[0]?.routes[0]?.matches).toEqual([
      { path: { kind: 'pathPrefix', path: '' }, headers: [], query: [], at: route },
    ]);
  });

  test('joins the routes of several listeners and keeps several ports apart', () => {
    const listener = (path: string) =>
      `{routes: [{backends: [{mcp: {targets: [{stdio: {cmd: x, env: {A: b, EMPTY: ''}}}]}}], matches: [{path: {exact: ${path}}}]}]}`;
    const text = `binds:
- {port: 0, listeners: [${listener('/a')}, ${listener('/b')}]}
- {port: 0, listeners: [${listener('/a')}]}`;
    const { binds } = parseConfigFile(text, directory);
    const paths = binds.map(({ listeners }) =>
      listeners.flatMap(({ routes }) => routes.map(({ at, matches }) => [at, matches[0]?.path.path])),
    );
    expect(paths).toEqual([
      [
        ['binds[0].listeners[0].routes[0]', '/a'],
        ['binds[0].listeners[1].routes[0]', '/b'],
      ],
      [['binds[1].listeners[0].routes[0]', '/a']],
    ]);
    const [target] = binds[0]?.listeners[0]?.routes[0]?.backend?.targets ?? [];
    expect(target?.server).toHaveProperty('env', { A: 'b', EMPTY: '' });
  });

  test.each([
    [{ url: 'https://issuer.example/jwks' }],
    ['{"keys":[]}'],
    [{ file: resolve('/keys/jwks.json') }],
    [{ file: '' }],
    [[]],
    [7],
    [null],
  ])('leaves jwks %j for mcpAuth() to judge', (jwks) => {
    const text = configText({ route: { policies: { mcpAuthentication: { jwks } } } });
    expect(parseConfigFile(text, directory).binds[0]?.listeners[0]?.routes[0]?.mcpAuthentication?.policy).toEqual({
      jwks,
    });
  });

  test('makes the file of API keys absolute, and leaves a list of them as it is', () => {
    const policyOf = (apiKeys: unknown) => {
      const text = configText({ route: { policies: { mcpAuthentication: { apiKeys } } } });
      return parseConfigFile(text, directory).binds[0]?.listeners[0]?.routes[0]?.mcpAuthentication?.policy;
    };
    expect(policyOf({ file: 'keys.json' })).toEqual({ apiKeys: { file: resolve(directory, 'keys.json') } });
    expect(policyOf([{ sha256: 'a' }])).toEqual({ apiKeys: [{ sha256: 'a' }] });
  });

  test('finds the key files of several issuers beside the configuration file, too', () => {
    const issuers = [
      { issuer: 'a', jwks: { file: 'a.json' } },
      { issuer: 'b', jwks: { url: 'https://b.example/' } },
      7,
    ];
    const text = configText({ route: { policies: { mcpAuthentication: { issuers } } } });
    expect(parseConfigFile(text, directory).binds[0]?.listeners[0]?.routes[0]?.mcpAuthentication?.policy).toEqual({
      issuers: [{ issuer: 'a', jwks: { file: resolve(directory, 'a.json') } }, issuers[1], 7],
    });
  });

  test('lets routes share a block by anchor and alias', () => {
    const shared = '{mcpAuthentication: &auth {issuer: a, jwks: {file: k}}}';
    const text = `binds:
- port: 0
  listeners:
  - routes:
    - {backends: &b [{mcp: {targets: [{stdio: {cmd: x}}]}}], matches: [{path: {exact: /a}}], policies: ${shared}}
    - {backends: *b, matches: [{path: {exact: /b}}], policies: {mcpAuthentication: *auth}}`;
    const routes = parseConfigFile(text, directory).binds[0]?.listeners[0]?.routes;
    expect(routes?.[1]?.mcpAuthentication?.policy).toEqual(routes?.[0]?.mcpAuthentication?.policy);
  });
});

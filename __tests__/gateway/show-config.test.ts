import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { showConfig } from '../../src/gateway/schema/show-config.js';

const SECRET = 'S3CRET';

const target = (members: object) => ({ mcp: { targets: [members] } });
const policies = (members: object) => ({ mcp: { targets: [], policies: members } });
const login = (members: object) => policies({ mcpAuthentication: members });

describe('a secret is not shown', () => {
  test.each<[string, object]>([
    ['clientSecret', login({ clientSecret: SECRET })],
    ['clientSecret of an issuer', login({ issuers: [{ issuer: 'https://a.example', clientSecret: SECRET }] })],
    ['secret', login({ secret: SECRET })],
    ['a list of secrets', login({ secret: [SECRET, SECRET] })],
    ['secret of the OAuth proxy', login({ oauthProxy: { secret: SECRET } })],
    ['secret of a client', login({ oauthProxy: { clients: { editor: { redirectUris: [], secret: SECRET } } } })],
    [
      'clientSecret of introspection',
      login({ introspection: { endpoint: 'https://a.example/i', clientId: 'x', clientSecret: SECRET } }),
    ],
    ['clientSecret of an exchange', login({ upstreamToken: { exchange: { issuer: 'x', clientSecret: SECRET } } })],
    ['hash of an API key', login({ apiKeys: [{ sha256: SECRET, subject: 'alice' }] })],
    ['claims of an API key', login({ apiKeys: [{ sha256: 'x', subject: 'alice', claims: { a: SECRET } }] })],
    ['inline key set', login({ jwks: `{"keys":[{"d":"${SECRET}"}]}` })],
    ['inline keys', login({ jwks: { keys: [{ kty: 'EC', d: SECRET }] } })],
    ['password in the URL of a key set', login({ jwks: { url: `https://u:${SECRET}@a.example/jwks` } })],
    ['query of a host without a scheme', { mcp: { targets: [{ mcp: { host: `a.example?key=${SECRET}` } }] } }],
    ['query of an issuer', login({ issuer: `https://a.example/?key=${SECRET}` })],
    ['fragment of a resource', login({ resourceMetadata: { resource: `https://a.example/mcp#${SECRET}` } })],
    ['further member of the metadata', login({ resourceMetadata: { resource: 'https://a.example', other: SECRET } })],
    ['key of apiKey', policies({ apiKey: { keys: [{ key: SECRET }, { keyHash: SECRET, metadata: { a: SECRET } }] } })],
    ['backendAuth', policies({ backendAuth: { key: SECRET } })],
    ['value of backendAuth', policies({ backendAuth: { key: { value: SECRET } } })],
    ['signingKey', policies({ backendAuth: { jwtSign: { signingKey: SECRET, claims: { a: SECRET } } } })],
    [
      'headers for a target',
      policies({ requestHeaderModifier: { set: { 'x-key': SECRET }, add: { 'x-key': SECRET } } }),
    ],
    ['body of an answer', policies({ directResponse: { status: 200, body: SECRET } })],
    ['rule on a header', policies({ authorization: { rules: [`request.headers["x"] == "${SECRET}"`] } })],
    [
      'rule on a header, by its action',
      policies({ mcpAuthorization: { rules: [{ allow: `request.headers["x"] == "${SECRET}"` }] } }),
    ],
    ['env', target({ stdio: { cmd: 'node', env: { name: SECRET, KEY: SECRET } } })],
    ['arguments', target({ stdio: { cmd: 'node', args: [`--key=${SECRET}`] } })],
    ['arguments in cmd', target({ stdio: { cmd: `node --key=${SECRET}` } })],
    ['path of a remote server', target({ mcp: { host: `https://a.example/s/${SECRET}/mcp`, path: `/${SECRET}` } })],
    ['password and query of a remote server', target({ mcp: { host: `https://u:${SECRET}@a.example/?k=${SECRET}` } })],
    ['password of a host', target({ mcp: { host: `u:${SECRET}@a.example` } })],
    ['key of callerToken', target({ mcp: { host: 'a.example', callerToken: { issuer: 'x', key: SECRET } } })],
    [
      'key of callerToken as a JWK',
      target({ mcp: { host: 'a.example', callerToken: { issuer: 'x', key: { d: SECRET } } } }),
    ],
    [
      'value of a header that a route needs',
      { routes: [{ matches: [{ headers: [{ name: 'x', value: { exact: SECRET } }] }] }] },
    ],
    ['session key', { config: { session: { key: SECRET } } }],
    ['address of the store', { config: { store: { redis: `redis://:${SECRET}@localhost` } } }],
    ['admin password', { config: { adminPassword: SECRET } }],
    ['section that is ignored', { llm: { name: SECRET, apiKey: SECRET } }],
    ['unknown key', { mcp: { targets: [], other: SECRET, more: { name: SECRET } } }],
    ['text in place of a mapping', { mcp: SECRET, config: SECRET }],
    ['text in place of a number', { mcp: { port: SECRET, targets: [] } }],
    ['text in place of a switch', target({ stdio: { cmd: 'x', clear_env: SECRET } })],
    ['number in place of a text', login({ clientSecret: 12345678 })],
  ])('%s', (_what, file) => {
    const shown = showConfig(stringify(file));
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toContain('12345678');
    expect(shown).toContain('<hidden>');
  });

  test('in a comment, an anchor or a variable', () => {
    const text = `# ${SECRET}\nmcp:\n  targets:\n    - stdio: { cmd: node, env: &${SECRET} { A: $KEY } }\n    - stdio: { cmd: node, env: *${SECRET} } # ${SECRET}\n`;
    expect(showConfig(text)).not.toContain(SECRET);
  });
});

test('ports, names, paths, addresses, times, files, switches and variables are shown', () => {
  const file = {
    gateways: { default: { port: 8443, tls: { cert: './tls.crt', key: './tls.key' } } },
    routes: [
      {
        name: 'notes',
        hostnames: ['notes.example.com'],
        matches: [{ path: { pathPrefix: '/mcp' } }],
        policies: {
          timeout: { requestTimeout: '30s' },
          cors: { allowOrigins: ['https://app.example.com'] },
          mcpAuthentication: {
            mode: 'strict',
            issuer: '$ISSUER',
            jwks: { url: 'https://auth.example.com/jwks' },
            clientSecret: '$' + '{CLIENT_SECRET}',
            secret: { file: './secret' },
            resourceMetadata: { resource: 'https://notes.example.com/mcp', scopesSupported: ['read'] },
          },
          mcpAuthorization: { rules: ['mcp.tool.name != "delete"', { deny: 'jwt.sub == "eve"' }] },
          mcpScopes: { 'tools/call': { delete: ['notes:write'] }, hide: true },
        },
        backends: [
          {
            mcp: {
              targets: [{ name: 'notes', mcp: { host: 'notes.internal', port: 8000 } }],
              statefulMode: 'stateless',
            },
          },
        ],
      },
    ],
    config: { adminAddr: '127.0.0.1:15000', store: { redis: '$REDIS', prefix: 'mine' } },
  };
  expect(parse(showConfig(stringify(file)))).toEqual(file);
});

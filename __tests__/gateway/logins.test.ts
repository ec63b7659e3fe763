import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { scripted, serveFile } from '../support/file-gateway.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { call, callText, initialize, open, post } from '../support/mcp-requests.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  return () => folder.remove();
});

const file = (policies: object, more: object = {}) => ({
  mcp: { port: 0, targets: [scripted('only')], policies },
  ...more,
});
const serve = (policies: object) => serveFile(file(policies), { folder: folder.path });
const statusWith = async (origin: string, headers: Record<string, string> = {}) =>
  (await post(`${origin}/mcp`, initialize(), headers)).status;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const provider = { issuer: 'https://issuer.test', audiences: ['mcp.example'], jwks: { file: './pub-key' } };

const keyHash = (key: string) => `sha256:${createHash('sha256').update(key).digest('hex')}`;

describe('jwtAuth', () => {
  test.each([
    ['strict', 401, 401],
    ['optional', 200, 401],
    ['permissive', 200, 200],
    [undefined, 200, 401],
  ])('mode %s: no token %i, a bad token %i', async (mode, none, bad) => {
    const { origin } = await serve({ jwtAuth: { ...provider, ...(mode && { mode }) } });
    const other = folder.token({ claims: { aud: 'other.example' } });
    const statuses = [
      statusWith(origin),
      statusWith(origin, bearer(other)),
      statusWith(origin, bearer(folder.token())),
    ];
    expect(await Promise.all(statuses)).toEqual([none, bad, 200]);
  });

  test('serves no documents, and its challenge names none', async () => {
    const { origin } = await serve({ jwtAuth: { ...provider, mode: 'strict' } });
    const response = await post(`${origin}/mcp`, initialize());
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect((await fetch(`${origin}/.well-known/oauth-protected-resource/mcp`)).status).toBe(401);
  });

  test('names the scopes of a call in a challenge that clients can read', async () => {
    const jwtAuth = { ...provider, mode: 'optional' };
    const { origin } = await serve({ jwtAuth, mcpScopes: { 'tools/call': ['a', 'b'] } });
    const challengeWith = async (headers: Record<string, string>) =>
      (await post(`${origin}/mcp`, call(1, 'echo'), headers)).headers.get('www-authenticate');
    expect(await challengeWith({})).toBe('Bearer scope="a b"');
    expect(await challengeWith(bearer(folder.token()))).toBe(
      'Bearer error="insufficient_scope", scope="a b", error_description="The token lacks a required scope"',
    );
  });

  test('takes the tokens of several providers, and a token in another header', async () => {
    const other = { issuer: 'https://other.test', audiences: ['a'], jwks: { file: './pub-key' } };
    const location = { header: { name: 'x-token' } };
    const { origin } = await serve({ jwtAuth: { mode: 'strict', providers: [other, provider], location } });
    expect(await statusWith(origin, { 'x-token': folder.token() })).toBe(200);
    expect(await statusWith(origin, bearer(folder.token()))).toBe(401);
  });

  test('of a gateway protects each of its routes', async () => {
    const { origin } = await serveFile(
      {
        gateways: { default: { port: 0, jwtAuth: { ...provider, mode: 'strict' } } },
        routes: [{ policies: { directResponse: { status: 200, body: 'in' } } }],
      },
      { folder: folder.path },
    );
    expect((await fetch(origin)).status).toBe(401);
    expect(await (await fetch(origin, { headers: bearer(folder.token()) })).text()).toBe('in');
  });

  test('is optional by default, of which the command warns', async () => {
    const { gateway } = await serve({ jwtAuth: provider });
    expect(gateway.warningsFor('0.0.0.0')).toEqual([expect.stringContaining('policies.jwtAuth.mode is optional')]);
  });
});

describe('apiKey', () => {
  test('lets callers with a key in, and rules see its metadata', async () => {
    const keys = [{ keyHash: keyHash('sk-one'), metadata: { role: 'admin' } }, { keyHash: keyHash('sk-two') }];
    const mcpAuthorization = { rules: ['apiKey.role == "admin" && mcp.tool.name == "echo"'] };
    const { origin, lines } = await serve({ apiKey: { mode: 'strict', keys }, mcpAuthorization });
    expect(await statusWith(origin)).toBe(401);
    const unknown = await post(`${origin}/mcp`, {}, bearer('sk-three'));
    expect(unknown.status).toBe(401);
    expect(await unknown.json()).toMatchObject({ error_description: 'The API key is not known here' });
    const session = await open(`${origin}/mcp`, bearer('sk-one'));
    expect(await callText(`${origin}/mcp`, session, 'echo', {})).toBe('{}');
    const other = await open(`${origin}/mcp`, bearer('sk-two'));
    await expect(callText(`${origin}/mcp`, other, 'echo', {})).rejects.toThrow();
    expect(lines.join()).not.toContain('keyHash');
  });

  test('a route with keys alone asks for a key, and accepts no token', async () => {
    const { origin, lines } = await serve({ apiKey: { mode: 'strict', keys: [{ keyHash: keyHash('sk-one') }] } });
    const { error_description } = (await (await post(`${origin}/mcp`, {})).json()) as { error_description: string };
    expect(error_description).toBe('API key required');
    expect(await statusWith(origin, bearer(folder.token()))).toBe(401);
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  test('a key in the file works, and its hash is recommended', async () => {
    const keys = [{ key: 'sk-plain' }, { key: 'sk-second' }];
    const { origin, lines } = await serve({ apiKey: { mode: 'strict', keys } });
    expect(await statusWith(origin, bearer('sk-plain'))).toBe(200);
    expect(lines).toContain(
      `warn mcp.policies.apiKey.keys[1].key is in the file as it is: write keyHash: ${keyHash('sk-second')}`,
    );
    expect(lines).toContain(
      `warn mcp.policies.apiKey.keys[0].key is in the file as it is: write keyHash: ${keyHash('sk-plain')}`,
    );
  });

  test('a key may be a variable, and in another header', async () => {
    const policies = { apiKey: { mode: 'strict', keys: [{ key: '$KEY' }], location: { header: { name: 'x-key' } } } };
    const { origin, lines } = await serveFile(file(policies), { env: { KEY: 'sk-secret' } });
    expect(await statusWith(origin, { 'x-key': 'sk-secret' })).toBe(200);
    expect(lines.join()).not.toContain('sk-secret');
  });
});

describe('authorization', () => {
  const rules = [
    { deny: 'request.path == "/denied"' },
    { require: 'request.headers["x-tenant"] == "a"' },
    { allow: 'jwt.sub == "user"' },
    'request.method == "GET"',
  ];
  const serveRules = (more: object = {}) =>
    serveFile(
      {
        gateways: { default: { port: 0, ...more } },
        routes: [
          { policies: { jwtAuth: provider, authorization: { rules }, directResponse: { status: 200, body: 'in' } } },
        ],
      },
      { folder: folder.path },
    );

  test.each([
    ['GET', '/', { 'x-tenant': 'a' }, 200],
    ['GET', '/denied', { 'x-tenant': 'a' }, 403],
    ['GET', '/', {}, 403],
    ['POST', '/', { 'x-tenant': 'a' }, 403],
  ])('%s %s with %j is answered %i', async (method, path, headers, status) => {
    const { origin } = await serveRules();
    expect((await fetch(origin + path, { method, headers })).status).toBe(status);
  });

  test('knows the token, and the rules of the gateway count too', async () => {
    const headers = { 'x-tenant': 'a', ...bearer(folder.token({ sub: 'user' })) };
    const { origin } = await serveRules();
    expect((await fetch(origin, { method: 'POST', headers })).status).toBe(200);
    const stricter = await serveRules({ authorization: { rules: [{ deny: 'request.method == "POST"' }] } });
    expect((await fetch(stricter.origin, { method: 'POST', headers })).status).toBe(403);
  });

  test('the log names the policy and the place of a rule that fails, and each policy that may have denied', async () => {
    const policies = { authorization: { rules: ['request.headers["x-a"] == "a"'] } };
    const inBackend = { authorization: { rules: [{ deny: 'request.headers["x-b"] == "b"' }] } };
    const backends = [{ mcp: { targets: [scripted('only')] }, policies: inBackend }];
    const inSection = {
      name: { name: 'p', namespace: 'd' },
      target: { gateway: { gatewayName: 'default', gatewayNamespace: 'd' } },
      policy: { authorization: { rules: ['request.path == "/other"'] } },
    };
    const gateways = { default: { port: 0 } };
    const { origin, lines } = await serveFile({ gateways, routes: [{ policies, backends }], policies: [inSection] });
    expect((await fetch(origin)).status).toBe(403);
    expect((await fetch(origin, { headers: { 'x-a': 'a' } })).status).toBe(403);
    const [ofRoute, ofBackend] = ['routes[0].policies.authorization', 'routes[0].backends[0].policies.authorization'];
    expect(lines.filter((line) => line.includes('.authorization'))).toEqual([
      `warn ${ofRoute}.rules[0] failed (no_such_key) and therefore does not allow: request.headers["x-a"] == "a"`,
      `info policies[0].policy.authorization and ${ofRoute}: answered 403 (access_denied): no rule allows a request, or one denies it`,
      `warn ${ofBackend}.rules[0].deny failed (no_such_key) and therefore denies: request.headers["x-b"] == "b"`,
      `info ${ofBackend}: answered 403 (access_denied): no rule allows a request, or one denies it`,
    ]);
  });
});

describe('refused', () => {
  const cases: ReadonlyArray<readonly [what: string, policies: object, message: string]> = [
    [
      'no audiences',
      { jwtAuth: { issuer: 'a', jwks: '{}' } },
      'mcp.policies.jwtAuth must have audiences: without it, a token that was issued for another server would pass',
    ],
    [
      'another mode',
      { jwtAuth: { ...provider, mode: 'off' } },
      'mcp.policies.jwtAuth.mode must be one of strict, optional, permissive, but is "off"',
    ],
    [
      'two logins',
      { jwtAuth: provider, apiKey: { keys: [{ key: 'a' }] } },
      'mcp.policies.apiKey is one of two logins of this route, besides mcp.policies.jwtAuth',
    ],
    ...['sub', 'scope', 'scp', 'exp', 'iss', 'client_id', 'azp', 'cid', 'appid'].map(
      (name): [string, object, string] => [
        `a key with the metadata ${name}`,
        { apiKey: { keys: [{ key: 'a', metadata: { role: 'x', [name]: 'y' } }] } },
        `mcp.policies.apiKey.keys[0].metadata.${name} has the name of a claim of tokens, and a key is no token: choose another name`,
      ],
    ),
    [
      'a key that is there twice',
      { apiKey: { keys: [{ key: 'a' }, { key: 'b' }, { keyHash: keyHash('a').toUpperCase().replace('SHA', 'sha') }] } },
      'mcp.policies.apiKey.keys[2] has the same key as mcp.policies.apiKey.keys[0]: write it once',
    ],
    ['no key', { apiKey: { keys: [{ metadata: {} }] } }, 'mcp.policies.apiKey.keys[0] must have either key or keyHash'],
    [
      'another hash',
      { apiKey: { keys: [{ keyHash: 'md5:a' }] } },
      'mcp.policies.apiKey.keys[0].keyHash must be "sha256:" and the SHA-256',
    ],
    [
      'an empty list of rules',
      { authorization: { rules: [] } },
      'mcp.policies.authorization.rules must have at least one item',
    ],
  ];
  test.each(cases)('%s', (_what, policies, message) => {
    expect(() => parseConfigFile(JSON.stringify(file(policies)), '/')).toThrow(message);
  });

  test.each([
    [
      'a rule about a tool',
      'mcp.tool.name == "echo"',
      'mcp.policies.authorization: authorization: option "rules[0]" must be without mcp.tool.name',
    ],
    [
      'a rule that does not parse',
      'request.path ==',
      'mcp.policies.authorization: authorization: option "rules[0]" must be a CEL expression',
    ],
  ])('%s', async (_what, rule, message) => {
    await expect(serve({ authorization: { rules: [rule] } })).rejects.toThrow(message);
  });
});

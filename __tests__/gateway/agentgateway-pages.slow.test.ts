import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { scripted, serveFile } from '../support/file-gateway.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { freePort } from '../support/loopback-server.js';
import { initialize, post } from '../support/mcp-requests.js';
import { CLI, endPrograms, type Program, startNode } from '../support/program.js';
import { startEverything } from '../support/remote-servers.js';
import { SDK_USERS, type SdkUser, userOfV1, userOfV2 } from '../support/sdk-users.js';
import { EVERYTHING } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

// The promises of pages of agentgateway's documentation, tested with this command in place of agentgateway and with files of our own.

const MEMORY = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/server-memory/dist/index.js', import.meta.url),
);
const node = (name: string, file: string) => ({ name, stdio: { cmd: process.execPath, args: [file] } });
const everything = (name = 'everything') => node(name, EVERYTHING);
const memory = node('memory', MEMORY);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** Each test starts several real programs. */
const MAX_TEST_MS = 60_000;

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
});
afterEach(endPrograms);
afterAll(() => folder.remove());

/** Starts the command with a file, as a user does. */
async function start(file: object): Promise<{ url: string; gateway: Program }> {
  const path = await folder.write('config.yaml', JSON.stringify(file));
  const gateway = startNode([CLI, '-f', path, '--host', '127.0.0.1']);
  const [, address] = await gateway.says(/Listening on (\S+)\n/);
  return { url: `http://${address}/mcp`, gateway };
}

/** Connects a client, which stands in for agentgateway's playground. */
async function connect(url: string, headers: Record<string, string> = {}, open = userOfV1): Promise<SdkUser> {
  const user = await open(url, 'a client', headers);
  onTestFinished(() => user.close());
  return user;
}

describe('the MCP quick start', { timeout: MAX_TEST_MS }, () => {
  const remoteFile = async () => {
    const { url } = await startEverything();
    return { mcp: { port: 0, targets: [{ name: 'everything', mcp: { host: url } }] } };
  };

  test.each(SDK_USERS)('a remote server: %s lists its tools and calls one', async (_name, open) => {
    const { url } = await start(await remoteFile());
    const user = await connect(url, {}, open);
    expect(await user.tools()).toEqual(expect.arrayContaining(['echo', 'get-sum']));
    expect(await user.call('echo', { message: 'My first setup' })).toBe('Echo: My first setup');
  });

  test.each(['/mcp', '/'])('a stdio server that npx finds, at %s', async (path) => {
    const stdio = { cmd: 'npx', args: ['-y', '@modelcontextprotocol/server-everything'] };
    const { url } = await start({ mcp: { port: 0, targets: [{ name: 'everything', stdio }] } });
    const user = await connect(new URL(path, url).href, {}, userOfV2);
    expect(await user.call('echo', { message: 'hello' })).toBe('Echo: hello');
  });

  test('a playground in a browser is let in by cors, and not without', async () => {
    const { mcp } = await remoteFile();
    const origin = 'http://localhost:4000';
    const cors = { allowOrigins: [origin], allowHeaders: ['*'], exposeHeaders: ['Mcp-Session-Id'] };
    const headers = { origin, 'access-control-request-method': 'POST' };
    const preflight = async (file: object) => {
      const { url } = await start(file);
      const { headers: answered } = await fetch(url, { method: 'OPTIONS', headers });
      return { url, allowed: answered.get('access-control-allow-origin') };
    };
    expect(await preflight({ mcp })).toMatchObject({ allowed: null });
    const { url, allowed } = await preflight({ mcp: { ...mcp, policies: { cors } } });
    expect(allowed).toBe(origin);
    const opened = await post(url, initialize(), { origin });
    expect([opened.status, opened.headers.get('access-control-expose-headers')]).toEqual([200, 'Mcp-Session-Id']);
  });
});

describe('the page about API keys', { timeout: MAX_TEST_MS }, () => {
  const keys = [
    { key: 'sk-docs-admin', metadata: { user: 'ada', role: 'admin' } },
    { key: 'sk-docs-user', metadata: { user: 'bob', role: 'user' } },
  ];

  test('a gateway in strict mode needs a key, says what is wrong, and rules see its metadata', async () => {
    const rules = ['mcp.tool.name == "echo"', 'apiKey.role == "admin"'];
    const { url, gateway } = await start({
      gateways: { default: { port: 0, apiKey: { mode: 'strict', keys } } },
      routes: [{ policies: { mcpAuthorization: { rules } }, backends: [{ mcp: { targets: [everything()] } }] }],
    });
    const [missing, wrong] = [await post(url, initialize()), await post(url, initialize(), bearer('sk-other'))];
    expect([missing.status, await missing.text()]).toEqual([
      401,
      '{"error":"unauthorized","error_description":"API key required"}',
    ]);
    expect([wrong.status, await wrong.text()]).toEqual([
      401,
      '{"error":"invalid_token","error_description":"The API key is not known here"}',
    ]);
    const user = await connect(url, bearer('sk-docs-user'));
    expect(await user.tools()).toEqual(['echo']);
    expect(await (await connect(url, bearer('sk-docs-admin'))).tools()).toContain('get-sum');
    expect(gateway.stderr).toContain('gateways.default.apiKey.keys[0].key is in the file as it is: write keyHash: sha');
    expect(gateway.stdout + gateway.stderr).not.toMatch(/sk-docs|sk-other/);
  });

  test.each([
    ['strict', [401, 401, 200]],
    ['optional', [200, 401, 200]],
    [undefined, [200, 401, 200]],
    ['permissive', [200, 200, 200]],
  ])('mode %s answers no key, a wrong one and a right one with %j', async (mode, statuses) => {
    const policies = { apiKey: { keys, ...(mode && { mode }) } };
    const { origin } = await serveFile({ mcp: { port: 0, targets: [scripted('tools')], policies } });
    const requests = [{}, bearer('sk-wrong'), bearer('sk-docs-user')];
    const answers = await Promise.all(requests.map((headers) => post(`${origin}/mcp`, initialize(), headers)));
    expect(answers.map(({ status }) => status)).toEqual(statuses);
  });
});

describe('the page about MCP authorization', { timeout: MAX_TEST_MS }, () => {
  const issuer = createTestIssuer();
  afterAll(() => issuer.close());

  /** Starts the command with this policy, and users who log in at the issuer. */
  async function startWithRules(mcp: object, rules: readonly string[], mode: object = {}) {
    const port = await freePort();
    const resource = `http://localhost:${port}/mcp`;
    const url = await issuer.listen();
    const mcpAuthentication = {
      ...mode,
      issuer: url,
      audiences: [resource],
      jwks: { url: `${url}/.well-known/jwks.json` },
      resourceMetadata: { resource, scopesSupported: ['read:all'], bearerMethodsSupported: ['header'] },
    };
    await start({ mcp: { ...mcp, port, policies: { mcpAuthentication, mcpAuthorization: { rules } } } });
    const login = (claims: Record<string, unknown>) => bearer(issuer.tokenFor(resource, { claims }));
    return { resource, connectAs: (claims: Record<string, unknown>) => connect(resource, login(claims)) };
  }

  test('callers see and call the tools of their claims, and no others', async () => {
    const { resource, connectAs } = await startWithRules({ targets: [everything()] }, [
      'mcp.tool.name == "echo"',
      'jwt.sub == "adder" && mcp.tool.name == "get-sum"',
      'mcp.tool.name == "get-env" && jwt.team.role == "operator"',
    ]);
    expect((await post(resource, initialize())).status).toBe(401);
    const [anyone, adder, operator] = [
      await connectAs({ sub: 'ada' }),
      await connectAs({ sub: 'adder' }),
      await connectAs({ sub: 'ada', team: { role: 'operator' } }),
    ];
    expect(await Promise.all([anyone, adder, operator].map((user) => user.tools()))).toEqual([
      ['echo'],
      ['echo', 'get-sum'],
      ['echo', 'get-env'],
    ]);
    expect(await adder.call('get-sum', { a: 2, b: 3 })).toContain('5');
    await expect(anyone.call('get-sum', { a: 2, b: 3 })).rejects.toThrow('Unknown tool: get-sum');
  });

  test('rules of one target: anyone calls the first, and administrators the second', async () => {
    const { resource, connectAs } = await startWithRules(
      { targets: [everything('public'), memory] },
      ['mcp.tool.target == "public"', 'mcp.tool.target == "memory" && has(jwt.sub) && "admin" in jwt.roles'],
      { mode: 'optional' },
    );
    const targetsOf = async (user: SdkUser) =>
      new Set((await user.tools()).map((name) => name.slice(0, name.indexOf('_'))));
    const [anonymous, member, admin] = [
      await connect(resource),
      await connectAs({ roles: ['member'] }),
      await connectAs({ roles: ['admin'] }),
    ];
    for (const user of [anonymous, member]) {
      expect(await targetsOf(user)).toEqual(new Set(['public']));
      await expect(user.call('memory_read_graph', {})).rejects.toThrow('Unknown tool: memory_read_graph');
    }
    expect(await targetsOf(admin)).toEqual(new Set(['public', 'memory']));
    expect(await admin.call('memory_read_graph', {})).toContain('entities');
    expect((await post(resource, initialize(), bearer('not.a.token'))).status).toBe(401);
  });
});

describe('the page about multiplexing', { timeout: MAX_TEST_MS }, () => {
  test.each([
    ['nothing', {}, [memory, everything()], ['memory_read_graph', 'everything_echo']],
    ['conditional', { prefixMode: 'conditional' }, [everything()], [undefined, 'echo']],
    ['always', { prefixMode: 'always' }, [everything('alpha')], [undefined, 'alpha_echo']],
    ['never', { prefixMode: 'never' }, [memory, everything()], ['read_graph', 'echo']],
  ])('prefixMode %s: tools have the names that the page says', async (_mode, mode, targets, [read, echo]) => {
    const { url } = await start({ mcp: { port: 0, ...mode, targets } });
    const user = await connect(url, {}, userOfV2);
    const wanted = [read, echo].flatMap((name) => name ?? []);
    const found = (await user.tools()).filter((name) => /(?:^|_)(?:read_graph|echo)$/.test(name));
    expect(found.toSorted()).toEqual(wanted.toSorted());
    expect(await user.call(echo as string, { message: 'hello world' })).toBe('Echo: hello world');
    if (read !== undefined) expect(await user.call(read, {})).toContain('entities');
  });

  test('two tools of one name without prefixes are both hidden, with a warning', async () => {
    const targets = [everything('alpha'), everything('beta')];
    const { url, gateway } = await start({ mcp: { port: 0, prefixMode: 'never', targets } });
    expect(await (await connect(url)).tools()).toEqual([]);
    await until(() => gateway.stderr.includes('the tool "echo" is hidden: two targets have it'));
  });
});

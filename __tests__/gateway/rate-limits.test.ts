import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway, type Gateway } from '../../src/gateway/gateway.js';
import { configText, route } from '../support/config-text.js';
import { type FileGateway, scripted, serveFile } from '../support/file-gateway.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { call, post } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { until } from '../support/until.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  return () => folder.remove();
});

let gateway: Gateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

/** Starts a gateway with one route in optional mode; resolves to a function that sends a call as a user, or as an anonymous caller. */
async function serve(limits: readonly object[]): Promise<(sub?: string) => Promise<number>> {
  const stdio = { cmd: process.execPath, args: ['-e', 'process.stdin.resume()'] };
  const mcpAuthentication = { ...AUTHENTICATION, mode: 'optional' };
  const policies = { mcpAuthentication, localRateLimit: limits };
  const text = configText({ bind: { port: 0 }, route: { policies, backends: [{ mcp: { targets: [{ stdio }] } }] } });
  gateway = createGateway(parseConfigFile(text, folder.path), createRecordingLogger().logger);
  const [address] = await gateway.listen('127.0.0.1');
  return async (sub) => {
    const caller =
      sub === undefined ? {} : { authorization: `Bearer ${folder.token({ sub, claims: { aud: 'mcp.example' } })}` };
    const headers = { 'content-type': 'application/json', ...caller };
    // The backend refuses it, for it opens no session: 400.
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    return (await fetch(`http://${address}/mcp`, { method: 'POST', headers, body })).status;
  };
}

const fileWith = (more: object) => ({
  mcp: { port: 0, targets: [scripted('a')], policies: { localRateLimit: [{ ...hourly, ...more }] } },
});

const hourly = { maxTokens: 2, tokensPerFill: 1, fillInterval: '1h' };

describe('localRateLimit', () => {
  test('says in the log whose calls a limit counts', async () => {
    const [server, everyone] = [await serveFile(fileWith({ per: 'user' })), await serveFile(fileWith({}))];
    for (const { origin, lines } of [server, everyone]) {
      for (let i = 0; i < 3; i += 1) await post(origin, call(i, 'print'));
      await until(() => lines.some((line) => line.includes('limit_exceeded')));
    }
    const limitsIn = ({ lines }: FileGateway) => / \(([^()]*): 2 at once/.exec(lines.join('\n'))?.[1];
    expect([server, everyone].map(limitsIn)).toEqual(['per user', 'for all callers']);
  });

  test('is one bucket for all known callers of the route, as in agentgateway, and one for anonymous callers', async () => {
    const send = await serve([{ ...hourly, type: 'requests' }]);
    const seen = [];
    for (const sub of ['ada', 'bob', 'ada', undefined]) seen.push(await send(sub));
    expect(seen.map((status) => status === 429)).toEqual([false, false, true, false]);
  });

  test('with `per` is a bucket for each user', async () => {
    const send = await serve([{ ...hourly, per: 'user' }]);
    const seen = [];
    for (const sub of ['ada', 'ada', 'ada', 'bob']) seen.push(await send(sub));
    expect(seen.map((status) => status === 429)).toEqual([false, false, true, false]);
  });

  test('of several, the narrowest counts', async () => {
    const send = await serve([hourly, { ...hourly, maxTokens: 1 }]);
    expect([(await send('ada')) === 429, await send('ada')]).toEqual([false, 429]);
  });
});

const limited = { localRateLimit: [hourly] };
const routeAt = (path: string, more: object) => ({ matches: [{ path: { exact: path } }], ...answer(path), ...more });
const answer = (body: string) => ({ policies: { directResponse: { status: 200, body } } });
const targetedAt = (target: object) => ({ name: { name: 'p', namespace: 'd' }, target, policy: limited });
const oneGateway = { default: { port: 0 } };
const twoGateways = { a: { port: 0 }, b: { port: 0 } };
const server = { targets: [{ name: 'a', stdio: { cmd: process.execPath, args: ['-e', ''] } }] };

/** Sends requests in turn to each of these addresses; resolves to their number when the first one is limited. */
async function sendUntilLimited(urls: readonly string[]): Promise<number> {
  for (let sent = 0; sent < 9; sent++) {
    const { status } = await fetch(urls[sent % urls.length] as string, { redirect: 'manual' });
    if (status === 429) return sent;
  }
  return 9;
}

describe('the routes that have one localRateLimit share its buckets, as in agentgateway:', () => {
  const paths = (origin: string) => [`${origin}/one`, `${origin}/two`];
  const two = [routeAt('/one', {}), routeAt('/two', {})];

  test.each<[what: string, file: object]>([
    ['those of a gateway', { gateways: oneGateway, routes: two, policies: [targetedAt({ gateway: {} })] }],
    [
      'those with one name',
      {
        gateways: oneGateway,
        routes: two.map((each) => ({ ...each, name: 'n' })),
        policies: [targetedAt({ route: { name: 'n', namespace: 'd' } })],
      },
    ],
    [
      'those with one backend',
      {
        gateways: oneGateway,
        backends: [{ name: 'n', mcp: server }],
        routes: ['/one', '/two'].map((exact) => ({ matches: [{ path: { exact } }], backends: [{ backend: 'n' }] })),
        policies: [targetedAt({ backend: { backend: { name: 'n', namespace: 'd' } } })],
      },
    ],
  ])('%s', async (_what, file) => {
    const { origin } = await serveFile(file);
    expect(await sendUntilLimited(paths(origin))).toBe(2);
  });

  test.each<[what: string, file: object]>([
    [
      'a route on two gateways',
      { routes: [{ gateways: ['a', 'b'], policies: { ...answer('').policies, ...limited } }] },
    ],
    ['the section mcp on two gateways', { mcp: { gateways: ['a', 'b'], ...server, policies: limited } }],
  ])('%s', async (_what, file) => {
    const { origins } = await serveFile({ gateways: twoGateways, ...file });
    expect(await sendUntilLimited(origins.map((origin) => `${origin}/mcp`))).toBe(2);
  });

  test('but not routes that each have one that is the same', async () => {
    const routes = two.map((each) => ({ ...each, policies: { ...each.policies, ...limited } }));
    const { origin } = await serveFile({ gateways: oneGateway, routes });
    expect(await sendUntilLimited(paths(origin))).toBe(4);
  });
});

test.each<[what: string, policy: object]>([
  ['a redirect', { requestRedirect: {} }],
  ['a direct response', { directResponse: { status: 200 } }],
])(
  'localRateLimit limits a route with %s, and each request counts once, whatever its body is',
  async (_what, policy) => {
    const { origin } = await serveFile({ gateways: oneGateway, routes: [{ policies: { ...policy, ...limited } }] });
    const send = async (init: RequestInit) => (await fetch(origin, { redirect: 'manual', ...init })).status;
    const first = [await send({ method: 'POST', body: 'no JSON' }), await send({})];
    expect([first.every((status) => status < 400), await send({ method: 'POST', body: '[]' })]).toEqual([true, 429]);
  },
);

const at = `${route}.policies.localRateLimit`;
const TIME = 'must be a time such as "30s", "1m", "1h30m" or "1d", up to 31 days';

test.each<[string, unknown, string]>([
  ['a mapping', hourly, `${at} must be a list, but is a mapping`],
  ['an empty list', [], `${at} must have at least one item, but is empty`],
  [
    'tokens of a language model',
    [{ ...hourly, type: 'tokens' }],
    `${at}[0].type is not supported, except "requests": the tokens of a language model do not pass through an MCP server`,
  ],
  [
    'no refill, so that it would close for good',
    [{ maxTokens: 1, fillInterval: '1s' }],
    `${at}[0].tokensPerFill is missing`,
  ],
  [
    'a refill of nothing',
    [{ ...hourly, tokensPerFill: 0 }],
    `${at}[0].tokensPerFill must be a whole number of at least 1, but is 0`,
  ],
  [
    'a refill above the tokens',
    [{ ...hourly, tokensPerFill: 3 }],
    `${at}[0].tokensPerFill must be at most maxTokens (2), but is 3`,
  ],
  ['no tokens', [{ ...hourly, maxTokens: 0 }], `${at}[0].maxTokens must be a whole number of at least 1, but is 0`],
  ['a time as a number', [{ ...hourly, fillInterval: 60 }], `${at}[0].fillInterval ${TIME}, but is 60`],
  ['a time without a unit', [{ ...hourly, fillInterval: '60' }], `${at}[0].fillInterval ${TIME}, but is "60"`],
  ['another per', [{ ...hourly, per: 'ip' }], `${at}[0].per must be one of user, client, key, tool, but is "ip"`],
  ['a slip', [{ ...hourly, maxToken: 1 }], `${at}[0].maxToken is not supported. Did you mean "maxTokens"?`],
])('a file with %s is refused', (_case, localRateLimit, message) => {
  const text = configText({ route: { policies: { localRateLimit } } });
  expect(() => parseConfigFile(text, '/')).toThrow(expect.objectContaining({ name: 'StartupError', message }));
});

test('mcpLimits in the file is refused with the name of the policy', () => {
  const text = configText({ route: { policies: { mcpLimits: [hourly] } } });
  const advice = 'Write localRateLimit, with maxTokens, tokensPerFill, fillInterval and per.';
  expect(() => parseConfigFile(text, '/')).toThrow(`${route}.policies.mcpLimits is not supported. ${advice}`);
});

test('a store in the file is refused: it is an object of JavaScript', () => {
  const mcpAuthentication = { ...AUTHENTICATION, store: { redis: 'redis://localhost' } };
  const text = configText({ route: { policies: { mcpAuthentication } } });
  expect(() => parseConfigFile(text, '/')).toThrow(
    `${route}.policies.mcpAuthentication.store is not supported: write config.store: { redis: URL }`,
  );
});

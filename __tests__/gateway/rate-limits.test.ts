import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway, type Gateway } from '../../src/gateway/gateway.js';
import { configText, route } from '../support/config-text.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { createRecordingLogger } from '../support/recording-logger.js';

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

const hourly = { maxTokens: 2, tokensPerFill: 1, fillInterval: '1h' };

describe('localRateLimit', () => {
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

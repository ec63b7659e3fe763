import { beforeAll, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { createLogOutput } from '../../src/gateway/log-output.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { unreachableUrl } from '../support/loopback-server.js';
import { call, initialize, listen, open, post } from '../support/mcp-requests.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  return () => folder.remove();
});

/** Text that only secrets have. */
const MARK = 'hunter2';
const SECRETS = { token: `${MARK}-token`, secret: `${MARK}-argument`, line: `${MARK}-printed\n`, answer: true };
/** Sent with every request: the values of some of these are read, the others are not. */
const HEADERS = { cookie: `a=${MARK}`, 'x-api-token': MARK, 'last-event-id': MARK };

const stdio = { cmd: NODE, args: [SCRIPTED] };
const routeAt = (path: string, policies: object, mcp: object = {}) => ({
  name: path,
  matches: [{ path: { pathPrefix: `/${path}` } }],
  policies,
  backends: [{ mcp: { targets: [{ name: 'only', stdio }], ...mcp } }],
});

async function serve() {
  const lines: string[] = [];
  const add = (line: string) => void lines.push(line);
  const { logger } = createLogOutput({ format: 'json', level: 'debug' }, { out: add, err: add });
  const deny = { rules: [{ deny: 'mcp.tool.name == "pay"' }] };
  const routes = [
    routeAt('login', { mcpAuthentication: AUTHENTICATION, mcpScopes: { 'tools/call': { pay: ['bank'] } } }),
    routeAt('rules', { mcpAuthorization: deny }, { requestTimeoutSeconds: 4 }),
    routeAt('limit', { localRateLimit: [{ maxTokens: 1, tokensPerFill: 1, fillInterval: '1h' }] }),
    routeAt('small', {}, { maxBodyBytes: 500, maxSessions: 1 }),
    routeAt('away', {}, { targets: [{ name: 'only', mcp: { host: await unreachableUrl() } }] }),
  ];
  const gateway = createGateway(
    parseConfigFile(JSON.stringify({ gateways: { default: { port: 0 } }, routes }), folder.path),
    logger,
  );
  const [address] = await gateway.listen('127.0.0.1');
  return { gateway, lines, url: (path: string) => `http://${address}/${path}?access=${MARK}` };
}

test('no line has a token, a body, an argument or a header of a request, whatever the reason of a refusal', async () => {
  const { gateway, lines, url } = await serve();
  const token = folder.token({ sub: 'ada', claims: { aud: 'mcp.example' } });
  const forged = `${token.slice(0, token.lastIndexOf('.'))}.${MARK}`;
  const bearer = (value: string) => ({ ...HEADERS, authorization: `Bearer ${value}` });
  const statuses: number[] = [];
  const send = async (path: string, message: unknown, headers: Record<string, string> = {}) => {
    statuses.push((await post(url(path), message, { ...HEADERS, ...headers })).status);
  };

  for (const each of [forged, `${MARK}.${MARK}`, MARK]) await send('login', call(1, 'echo', SECRETS), bearer(each));
  await send('login', call(1, 'pay', SECRETS), bearer(token));
  await send('rules', call(1, 'pay', SECRETS), await open(url('rules'), HEADERS));
  await send('rules', call(2, 'hang', SECRETS), await open(url('rules'), HEADERS));
  await send('rules', call(2, 'print', SECRETS), await open(url('rules'), HEADERS));
  await send('rules', call(2, 'crash', SECRETS), await open(url('rules'), HEADERS));
  for (const id of [1, 2]) await send('limit', call(id, 'echo', SECRETS));
  await send('small', call(1, 'echo', { text: MARK.repeat(500) }));
  await send('small', `{"${MARK}"`);
  await send('small', call(1, 'echo', SECRETS), { 'content-type': `text/${MARK}` });
  await send('small', call(1, 'echo', SECRETS), { 'mcp-session-id': MARK });
  await send('small', initialize(), { accept: `text/${MARK}` });
  await listen(url('small'), await open(url('small'), { cookie: MARK }));
  await send('small', initialize());
  await send('away', call(1, 'echo', SECRETS));
  await until(() => lines.some((line) => line.includes('ended by itself')));
  await gateway.close();

  expect(statuses).toEqual([401, 401, 401, 403, 200, 200, 200, 200, 400, 429, 413, 400, 415, 404, 406, 503, 502]);
  const parsed = lines.map((line) => JSON.parse(line) as { route?: string; requestId?: string; code?: string });
  for (const line of lines) expect(line).not.toContain(MARK);
  for (const part of token.split('.')) expect(lines.join('\n')).not.toContain(part);
  const codes = new Set(parsed.flatMap(({ code, requestId, route }) => (requestId && route ? (code ?? []) : [])));
  const expected = ['insufficient_scope', 'call_denied', 'limit_exceeded', 'body_too_large', 'malformed_json'];
  expect([...codes]).toEqual(
    expect.arrayContaining([
      ...expected,
      'unsupported_media_type',
      'unknown_session',
      'not_acceptable',
      'too_many_sessions',
      'opaque_token',
      'target_unreachable',
      'opaque_token',
      'target_unreachable',
    ]),
  );
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { answer, authentication, scripted } from '../support/file-gateway.js';
import { serve } from '../support/loopback-server.js';
import { open } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { subscribeToCalls } from '../support/subscribed-calls.js';
import { until } from '../support/until.js';

const configOf = (...routes: object[]) =>
  parseConfigFile(JSON.stringify({ gateways: { default: { port: 0 } }, routes }), '/');

async function start(...routes: object[]) {
  const { logger, lines } = createRecordingLogger();
  const gateway = createGateway(configOf(...routes), logger);
  onTestFinished(() => gateway.close());
  const [address] = await gateway.listen('127.0.0.1');
  const prepare = (...next: object[]) => gateway.prepare(configOf(...next), new InputFiles());
  return { gateway, lines, origin: `http://${address}`, prepare };
}

const at = (path: string, more: object) => ({ matches: [{ path: { exact: path } }], ...more });
const to = (path: string, stdio: object = {}) =>
  at(path, { backends: [{ mcp: { targets: [scripted('only', stdio)] } }] });
const ofRoutes = (routes: readonly { at: string }[]) => routes.map((route) => route.at);

const modifier = (name: string) => ({ policies: { requestHeaderModifier: { set: { [name]: 'a' } } } });
const modified = (name: string) =>
  at('/a', { ...modifier(name), backends: [{ mcp: { targets: [scripted('only')] }, ...modifier('x-backend') }] });
const A = at('/a', { policies: answer('a') });
const B = at('/b', { policies: answer('b') });

test.each<[what: string, before: object[], after: object[], kept: string[], started: string[], ended: string[]]>([
  ['the same', [A, B], [A, B], ['routes[0]', 'routes[1]'], [], []],
  ['another order', [A, B], [B, A], ['routes[0]', 'routes[1]'], [], []],
  ['another name', [A], [{ ...A, name: 'new' }], ['routes[0]'], [], []],
  ['a policy', [A, B], [A, at('/b', { policies: answer('c') })], ['routes[0]'], ['routes[1]'], ['routes[1]']],
  [
    'a header modifier, and one of the backend that stays',
    [modified('x-a')],
    [modified('x-b')],
    [],
    ['routes[0]'],
    ['routes[0]'],
  ],
  ['another match', [A], [at('/c', { policies: answer('a') })], [], ['routes[0]'], ['routes[0]']],
  ['a host', [A], [{ ...A, hostnames: ['a.example'] }], [], ['routes[0]'], ['routes[0]']],
  ['one more', [A], [A, B], ['routes[0]'], ['routes[1]'], []],
  ['one less', [A, B], [B], ['routes[0]'], [], ['routes[0]']],
  [
    'a variable of a program called at',
    [to('/a', { env: { at: '1' } })],
    [to('/a', { env: { at: '2' } })],
    [],
    ['routes[0]'],
    ['routes[0]'],
  ],
])('routes of a file with %s', async (_what, before, after, kept, started, ended) => {
  const { prepare } = await start(...before);
  const changes = await prepare(...after).use('127.0.0.1');
  expect([changes.kept, changes.started, changes.ended].map(ofRoutes)).toEqual([kept, started, ended]);
});

const named = (name: string) => ({ ...to('/a'), name });
const byHeader = (value: string) => ({
  ...to('/'),
  matches: [{ headers: [{ name: 'x-route', value: { exact: value } }] }],
});

test.each<[what: string, before: object[], after: object[], label: string]>([
  ['a name', [to('/a')], [named('notes')], 'notes'],
  ['another name', [named('notes')], [named('more')], 'more'],
  ['its path in place of its name', [named('notes')], [to('/a')], '/a'],
  ['another place, since it has no name', [byHeader('a')], [byHeader('b'), byHeader('a')], 'route1'],
])('calls of a route that stays are recorded under its new label: %s', async (_what, before, after, label) => {
  const { origin, prepare, gateway } = await start(...before);
  const { kept } = await prepare(...after).use('127.0.0.1');
  expect(kept).toHaveLength(1);
  const records = subscribeToCalls();
  await open(`${origin}/a`, { 'x-route': 'a' });
  expect(records.map(({ route }) => route)).toEqual([label]);
  expect(gateway.allRoutes().map((route) => route.label)).toContain(label);
});

test('a file with a wrong policy starts nothing, and leaves the routes as they are', async () => {
  const { origin, prepare, lines } = await start(A);
  const wrong = at('/wrong', { policies: { ...answer('x'), mcpAuthentication: { mode: 'wrong' } } });
  const changed = at('/a', { policies: answer('changed') });
  expect(() => prepare(changed, to('/new', { warmChildren: 1 }), wrong)).toThrow(
    'routes[2].policies.mcpAuthentication',
  );
  expect(await (await fetch(`${origin}/a`)).text()).toBe('a');
  expect((await fetch(`${origin}/new`)).status).toBe(404);
  expect(lines.filter((line) => line.startsWith('error'))).toEqual([]);
});

test('a resource that replaces another one is the only one of its origin, without a line that says otherwise', async () => {
  const policy = (resource: string) => at('/a', { policies: { ...answer('a'), ...authentication(resource) } });
  const { origin, prepare, lines } = await start(policy('http://127.0.0.1/one'));
  const resourceAtRoot = async () =>
    ((await (await fetch(`${origin}/.well-known/oauth-protected-resource`)).json()) as { resource?: string }).resource;
  expect(await resourceAtRoot()).toBe('http://127.0.0.1/one');
  await prepare(policy('http://127.0.0.1/two')).use('127.0.0.1');
  expect(await resourceAtRoot()).toBe('http://127.0.0.1/two');
  expect(lines.filter((line) => line.includes('several resources'))).toEqual([]);
});

test('a request that is only complete after its port was closed is not served by the earlier version', async () => {
  const { origin, gateway } = await start(A, to('/waiting'));
  const { port } = new URL(origin);
  const send = (text: string) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
    onTestFinished(() => void socket.destroy());
    return socket.setEncoding('latin1');
  };
  const length = 'content-type: application/json\r\ncontent-length: 9';
  // The earlier version is in use as long as this request is.
  send(`POST /waiting HTTP/1.1\r\nhost: localhost\r\n${length}\r\n\r\n{`);
  const late = send('GET /a HTTP/1.1\r\nhost: localhost\r\n');
  const answered = once(late, 'data');
  // No answer shows that they have arrived.
  await delay(200);
  const elsewhere = { gateways: { other: { port: 0 } }, routes: [{ ...A, gateways: ['other'] }] };
  await gateway.prepare(parseConfigFile(JSON.stringify(elsewhere), '/'), new InputFiles()).use('127.0.0.1');
  late.write('\r\n');
  expect(String(await answered)).toMatch(/^HTTP\/1\.1 503 /);
});

test('a request whose token is being checked opens its session, although its route changes', async () => {
  const issuer = createTestIssuer();
  const { jwks } = issuer.policy({ resource: 'mcp.example' });
  const keys = JSON.stringify(typeof jwks === 'function' ? await jwks() : jwks);
  let release = (): void => undefined;
  let asked = 0;
  const url = await serve((_req, res) => {
    asked += 1;
    release = () => void res.setHeader('content-type', 'application/json').end(keys);
  });
  const mcpAuthentication = { issuer: issuer.issuer, audiences: ['mcp.example'], jwks: { url } };
  const version = (name: string) => ({ ...to('/a', { env: { name } }), policies: { mcpAuthentication } });
  const { origin, prepare } = await start(version('one'));
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  const answered = fetch(`${origin}/a`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${issuer.tokenFor('mcp.example')}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  });
  await until(() => asked === 1);
  const { ended } = await prepare(version('two')).use('127.0.0.1');
  expect(ended).toHaveLength(1);
  release();
  const response = await answered;
  expect(response.status).toBe(200);
  expect(await response.text()).toContain('serverInfo');
});

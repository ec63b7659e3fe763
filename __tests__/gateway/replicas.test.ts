import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { resolveRedisUrl } from '../../src/gateway/config/store-config.js';
import { createGateway, type Gateway } from '../../src/gateway/gateway.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { StartupError } from '../../src/gateway/startup-error.js';
import { refusal, scripted } from '../support/file-gateway.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { open, post } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { answerMcp, startRecordingTarget } from '../support/recording-target.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  await folder.write('key', `${'f'.repeat(32)}\n`);
  return () => folder.remove();
});

const [KEY, OLD] = ['k'.repeat(32), 'o'.repeat(32)];

/** A gateway with this file, and the URL of its MCP server. */
async function start(file: object, replica?: string): Promise<{ gateway: Gateway; url: string }> {
  const config = parseConfigFile(JSON.stringify(file), folder.path);
  const process = { ...config.process, ...(replica && { replica }) };
  const gateway = createGateway({ ...config, process }, createRecordingLogger().logger);
  onTestFinished(() => gateway.close());
  const [address] = await gateway.listen('127.0.0.1');
  return { gateway, url: `http://${address}/mcp` };
}

const { issuer, audiences, jwks } = AUTHENTICATION;
const LOGINS = {
  mcpAuthentication: { mcpAuthentication: AUTHENTICATION },
  jwtAuth: { jwtAuth: { mode: 'strict', issuer, audiences, jwks } },
};
const bearer = () => ({ authorization: `Bearer ${folder.token()}` });
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

describe('config.session.key: another replica serves a session of a remote server', () => {
  const remote = async (policies: object, config: object) => {
    const { url } = await startRecordingTarget(answerMcp());
    return { config, mcp: { port: 0, targets: [{ mcp: { host: url } }], policies } };
  };
  const statusAtOther = async (file: object, other: object) => {
    const [a, b] = [await start(file), await start(other)];
    return (await post(b.url, PING, await open(a.url, bearer()))).status;
  };

  test.each<[string, object, object, object, number]>([
    ['the same key', { key: KEY }, { key: KEY }, LOGINS.mcpAuthentication, 200],
    ['the same key, with jwtAuth', { key: KEY }, { key: KEY }, LOGINS.jwtAuth, 200],
    ['a key in a file', { key: { file: './key' } }, { key: 'f'.repeat(32) }, LOGINS.mcpAuthentication, 200],
    ['another key', { key: KEY }, { key: OLD }, LOGINS.mcpAuthentication, 404],
    ['a list that still has the old one', { key: OLD }, { key: [KEY, OLD] }, LOGINS.mcpAuthentication, 200],
  ])('%s', async (_case, one, other, policies, status) => {
    const file = await remote(policies, { session: one });
    expect(await statusAtOther(file, { ...file, config: { session: other } })).toBe(status);
  });

  test('no key: only the process that opened it', async () => {
    const file = await remote(LOGINS.mcpAuthentication, {});
    expect(await statusAtOther(file, file)).toBe(404);
  });

  test('the secret of a route goes before it', async () => {
    const file = await remote({ mcpAuthentication: { ...AUTHENTICATION, secret: OLD } }, { session: { key: KEY } });
    expect(await statusAtOther(file, { ...file, config: { session: { key: OLD } } })).toBe(200);
  });
});

test('config.session.key: a session of one route is unknown at another one with the same path and login', async () => {
  const routes = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const { url } = await startRecordingTarget(answerMcp());
      const backends = [{ mcp: { targets: [{ name, mcp: { host: url } }] } }];
      return { gateways: [name], matches: [{ path: { exact: '/mcp' } }], policies: LOGINS.jwtAuth, backends };
    }),
  );
  const file = { config: { session: { key: KEY } }, gateways: { one: { port: 0 }, two: { port: 0 } }, routes };
  const gateway = createGateway(parseConfigFile(JSON.stringify(file), folder.path), createRecordingLogger().logger);
  onTestFinished(() => gateway.close());
  const [one, two] = await gateway.listen('127.0.0.1');
  const session = await open(`http://${one}/mcp`, bearer());
  expect((await post(`http://${one}/mcp`, PING, session)).status).toBe(200);
  expect((await post(`http://${two}/mcp`, PING, session)).status).toBe(404);
});

test('the ids of sessions begin with the name in --replica, with one target and with several', async () => {
  for (const names of [['one'], ['one', 'two']]) {
    const targets = names.map((name) => scripted(name));
    const { url } = await start({ mcp: { port: 0, targets, policies: LOGINS.mcpAuthentication } }, 'mcp-0');
    expect((await open(url, bearer()))['mcp-session-id']).toMatch(/^mcp-0\.[\da-f-]{36}$/);
  }
});

describe('the file is refused', () => {
  const withConfig = (config: object) => ({ config, mcp: { port: 0, targets: [scripted('one')] } });
  const KEY_FIX = 'Print one with: openssl rand -base64 32';

  test.each<[string, object, string]>([
    ['a session without a key', { session: {} }, 'config.session.key is missing'],
    ['an empty list of keys', { session: { key: [] } }, 'config.session.key must have at least one item, but is empty'],
    ['a store without redis', { store: {} }, 'config.store.redis is missing'],
    ['a store as text', { store: 'redis://a' }, 'config.store must be a mapping, but is "redis://a"'],
    [
      'another store',
      { store: { memcached: 'a' } },
      'config.store.memcached is not supported. Supported here: redis, prefix.',
    ],
  ])('%s', (_case, config, message) => {
    expect(refusal(withConfig(config))).toBe(message);
  });

  const URL_FORM = 'must be an address such as "redis://localhost:6379", or "rediss://…" with TLS';
  test.each<[string, object, string]>([
    [
      'a short key',
      { session: { key: 'short' } },
      `config.session.key: mcpAuth(): option "key" must be a string of at least 32 characters. ${KEY_FIX}`,
    ],
    ['an address without a scheme', { store: { redis: 'localhost:6379' } }, `config.store.redis: ${URL_FORM}`],
    ['an address of http', { store: { redis: 'http://:secret@localhost' } }, `config.store.redis: ${URL_FORM}`],
    [
      'a prefix with braces',
      { store: { redis: 'redis://localhost', prefix: 'a{b}' } },
      'config.store: createRedisStore(): option "prefix" must be a name without braces, but got "a{b}". Leave it out for "express-mcp-auth".',
    ],
  ])('%s', (_case, config, message) => {
    const parsed = parseConfigFile(JSON.stringify(withConfig(config)), folder.path);
    expect(() => createGateway(parsed, createRecordingLogger().logger)).toThrow(new StartupError(message));
  });

  test.each([
    ['a # in the password', 'redis://:p@ss#wo/rd99@127.0.0.1:6379'],
    ['a / in the password', 'redis://default:12/rd99@127.0.0.1:6379'],
    ['a / in a password of letters', 'redis://:wo/rd99@127.0.0.1:6379'],
    ['a ? in the password', 'redis://default:12?rd99@127.0.0.1:6379'],
    ['a % in the password', 'redis://:rd99%@127.0.0.1:6379'],
    ['a path that is no number', 'redis://127.0.0.1:6379/abc'],
    ['a fragment', 'redis://127.0.0.1:6379/0#abc'],
  ])('%s: the message does not quote the address', (_case, redis) => {
    const message =
      `config.store.redis: ${URL_FORM}. After the host and the port there may be the number of a database, such as /0, and a query. ` +
      'In a user name or password, write # / ? @ % as %23 %2F %3F %40 %25';
    const parsed = parseConfigFile(JSON.stringify(withConfig({ store: { redis } })), folder.path);
    expect(() => createGateway(parsed, createRecordingLogger().logger)).toThrow(new StartupError(message));
  });

  test.each([
    'rediss://user:p%23ss@cache.example.com:6380/15?family=0',
    'redis://:p@ss@127.0.0.1',
    'redis://[::1]:6379/',
  ])('accepts %s', (redis) => {
    const read = () => resolveRedisUrl({ redis: { text: redis }, at: 'config.store' }, new InputFiles());
    expect(read()).toBe(redis);
  });

  test('replica beside targets: it is no setting that replicas share', () => {
    const message = refusal({ mcp: { port: 0, targets: [scripted('one')], replica: 'a' } });
    expect(message).toBe('mcp.replica is not supported. Start the command with --replica NAME.');
  });
});

import { afterAll, expect, test } from 'vitest';
import { AUTHENTICATION } from '../support/gateway-folder.js';
import { freePort } from '../support/loopback-server.js';
import { open, post } from '../support/mcp-requests.js';
import { endPrograms } from '../support/program.js';
import { answerMcp, startRecordingTarget } from '../support/recording-target.js';
import { routeTo, startReloading, withRoutes } from '../support/reloading-gateway.js';
import { until } from '../support/until.js';

afterAll(endPrograms);

const [KEY, OLD] = ['k'.repeat(32), 'o'.repeat(32)];
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

test('a session of a remote server goes on while config.session.key has the key that signed it', async () => {
  const { url } = await startRecordingTarget(answerMcp());
  const policies = { mcpAuthentication: AUTHENTICATION };
  const route = { backends: [{ mcp: { targets: [{ mcp: { host: url } }] } }], policies };
  const fileWith = (key: unknown) => ({ config: { session: { key } }, ...withRoutes(route) });
  const gateway = await startReloading(fileWith(OLD));
  const session = await open(gateway.origin, { authorization: `Bearer ${gateway.folder.token()}` });
  const status = async () => (await post(gateway.origin, PING, session)).status;
  expect(await gateway.replace(fileWith([KEY, OLD]))).toContain('1 started');
  expect(await status()).toBe(200);
  await gateway.replace(fileWith(KEY));
  expect(await status()).toBe(404);
});

test('a route that takes the place of another in the file does not sign as that one, which stays', async () => {
  const [first, second] = [await freePort(), await freePort()];
  const policies = { mcpAuthentication: AUTHENTICATION };
  const bindAt = async (port: number) => {
    const { url } = await startRecordingTarget(answerMcp());
    return {
      port,
      listeners: [{ routes: [{ backends: [{ mcp: { targets: [{ mcp: { host: url } }] } }], policies }] }],
    };
  };
  const config = { session: { key: KEY } };
  const [old, added] = [await bindAt(first), await bindAt(second)];
  const gateway = await startReloading({ config, binds: [old] });
  await gateway.replace({ config, binds: [added, old] });
  const authorization = `Bearer ${gateway.folder.token()}`;
  const session = await open(`http://127.0.0.1:${first}`, { authorization });
  expect((await post(`http://127.0.0.1:${first}`, PING, session)).status).toBe(200);
  expect((await post(`http://127.0.0.1:${second}`, PING, session)).status).toBe(404);
});

test('a route without a login stays as it is when config.session.key changes', async () => {
  const fileWith = (key: unknown) => ({ config: { session: { key } }, ...withRoutes(routeTo('/')) });
  const gateway = await startReloading(fileWith(OLD));
  expect(await gateway.replace(fileWith(KEY))).toContain('1 route kept, 0 started, 0 drained');
});

test('another config.store needs a restart, which a warning says', async () => {
  const fileWith = (redis: string) => ({ config: { store: { redis } }, ...withRoutes(routeTo('/')) });
  const gateway = await startReloading(fileWith('redis://127.0.0.1:1'));
  await gateway.replace(fileWith('redis://127.0.0.1:2'));
  const warning =
    'adminAddr, adminPassword, readinessAddr, statsAddr, store, logging or tracing has changed, which takes effect with the next start';
  await until(() => gateway.program.stderr.includes(warning));
});

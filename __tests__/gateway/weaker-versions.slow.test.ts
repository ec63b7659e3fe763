import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { AUTHENTICATION } from '../support/gateway-folder.js';
import { endPrograms } from '../support/program.js';
import {
  connectStreaming,
  type ReloadingGateway,
  routeTo,
  startReloading,
  withRoutes,
} from '../support/reloading-gateway.js';
import { until } from '../support/until.js';

afterAll(endPrograms);

const PROTECTED = { ...routeTo('/mcp'), policies: { mcpAuthentication: AUTHENTICATION } };
const OPEN = routeTo('/mcp');
const LOST = /^WARN express-mcp-auth: routes\[0\] no longer requires a token$/m;
const WAITS =
  /^WARN express-mcp-auth: \S+config\.yaml may be only half written, since routes\[0\] no longer requires a token: it is used if it stays the same for 5 seconds, or at once at SIGHUP$/m;

const statusOf = async ({ origin }: ReloadingGateway) =>
  (await fetch(`${origin}/mcp`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }))
    .status;
const waits = (gateway: ReloadingGateway) => until(() => WAITS.test(gateway.program.stderr));

test('a file that is half written in place opens no route, and drains none', async () => {
  const gateway = await startReloading(withRoutes(PROTECTED));
  const { call } = await connectStreaming(`${gateway.origin}/mcp`, {
    authorization: `Bearer ${gateway.folder.token()}`,
  });
  const pid = await call('pid');
  const { policies } = PROTECTED;
  const text = `${JSON.stringify(withRoutes(OPEN)).slice(0, -3)}`;
  const file = join(gateway.folder.path, 'config.yaml');
  await writeFile(file, `${text}}]}`);
  await waits(gateway);
  expect(await statusOf(gateway)).toBe(401);
  const rest = `,"policies":${JSON.stringify(policies)}}]}`;
  expect(await gateway.after(() => writeFile(file, text + rest))).toContain('1 route kept, 0 started, 0 drained');
  expect(await call('pid')).toBe(pid);
  expect(gateway.program.stderr).not.toMatch(LOST);
});

test('a file without the login is used once it has stayed the same for five seconds, with a warning', async () => {
  const gateway = await startReloading(withRoutes(PROTECTED));
  const startedAt = performance.now();
  const line = gateway.replace(withRoutes(OPEN));
  await waits(gateway);
  // Other files in the folder change nothing.
  await gateway.folder.write('other', 'x');
  expect(await statusOf(gateway)).toBe(401);
  expect(await line).toContain('1 started (routes[0])');
  expect(performance.now() - startedAt).toBeGreaterThan(5_000);
  await until(() => LOST.test(gateway.program.stderr));
  expect(await statusOf(gateway)).not.toBe(401);
});

test('SIGHUP ends the wait, and the warning comes all the same', async () => {
  const gateway = await startReloading(withRoutes(PROTECTED));
  await writeFile(join(gateway.folder.path, 'config.yaml'), JSON.stringify(withRoutes(OPEN)));
  await waits(gateway);
  const startedAt = performance.now();
  await gateway.after(() => void process.kill(gateway.program.pid, 'SIGHUP'));
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  await until(() => LOST.test(gateway.program.stderr));
  expect(await statusOf(gateway)).not.toBe(401);
});

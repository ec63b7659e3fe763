import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { answer } from '../support/file-gateway.js';
import { AUTHENTICATION, makeGatewayFolder } from '../support/gateway-folder.js';
import { freePort } from '../support/loopback-server.js';
import { CLI, endPrograms, isRunning, startNode } from '../support/program.js';
import { connectStreaming, routeTo, runReloading, startReloading, withRoutes } from '../support/reloading-gateway.js';
import { until } from '../support/until.js';

afterAll(endPrograms);

const KEPT = routeTo('/kept');
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a route that stays the same keeps its session, stream and child, while another one changes', async () => {
  const gateway = await startReloading(withRoutes(KEPT, routeTo('/changed')));
  const kept = await connectStreaming(`${gateway.origin}/kept`);
  const changed = await connectStreaming(`${gateway.origin}/changed`);
  const pid = await kept.call('pid');
  const oldPid = Number(await changed.call('pid'));
  await kept.call('chatter');
  const line = await gateway.replace(withRoutes(routeTo('/changed', { env: { NEW: 'yes' } }), KEPT));
  expect(line).toMatch(
    /^INFO express-mcp-auth: Reloaded \S+config\.yaml \(sha256 [0-9a-f]{12}\): 1 route kept, 1 started \(routes\[0\]\), 1 drained \(routes\[1\]\)$/,
  );
  await until(() => !isRunning(oldPid));
  const before = kept.heard.length;
  await until(() => kept.heard.length > before);
  expect(await kept.call('pid')).toBe(pid);
  expect(kept.streams).toBe(1);
  await expect(changed.call('pid')).rejects.toThrow(/404|session/i);
  const again = await connectStreaming(`${gateway.origin}/changed`);
  expect(await again.call('env')).toContain('"NEW":"yes"');
});

test('a call on a route that changes or is removed finishes, and new requests go to the new version at once', async () => {
  const gateway = await startReloading(withRoutes(routeTo('/a'), routeTo('/b')));
  const clients = [await connectStreaming(`${gateway.origin}/a`), await connectStreaming(`${gateway.origin}/b`)];
  const calls = clients.map((client) => client.call('nap', { ms: 2_000 }));
  await gateway.replace(withRoutes(routeTo('/a', { env: { CHANGED: 'yes' } })));
  expect((await fetch(`${gateway.origin}/b`)).status).toBe(404);
  expect(await Promise.all(calls)).toEqual(['awake', 'awake']);
});

test('a broken file keeps what runs, which is said once; the next good file is used', async () => {
  const gateway = await startReloading(withRoutes(KEPT));
  const kept = await connectStreaming(`${gateway.origin}/kept`);
  const pid = await kept.call('pid');
  const file = join(gateway.folder.path, 'config.yaml');
  const problems = () => gateway.program.stderr.split('\n').filter((line) => line.startsWith('ERROR'));
  await writeFile(file, 'routes: [');
  await until(() => problems().length > 0);
  // Longer than the time between two polls. Other files of the folder change meanwhile.
  for (let i = 0; i < 25; i += 1) {
    await gateway.folder.write('other', String(i));
    await pause(100);
  }
  expect(problems()).toEqual([
    expect.stringMatching(
      /^ERROR express-mcp-auth: \S+config\.yaml: line 1, column \d+ cannot be read as YAML: .+\. The previous configuration stays in use$/,
    ),
  ]);
  await writeFile(file, JSON.stringify(withRoutes(KEPT, routeTo('/more', { inheritEnv: 'wrong' }))));
  await until(() => problems().length > 1);
  expect(problems()[1]).toContain('routes[1].backends[0].mcp.targets[0].stdio');
  expect(problems()[1]).toMatch(/[^.]\. The previous configuration stays in use$/);
  await rm(file);
  await until(() => problems().length > 2);
  expect(problems()[2]).toContain('the file does not exist');
  // The file that is in use comes back.
  expect(await gateway.replace(withRoutes(KEPT))).toContain('1 route kept, 0 started, 0 drained');
  expect(await gateway.replace(withRoutes(KEPT, routeTo('/more')))).toContain('1 route kept, 1 started (routes[1])');
  expect([await kept.call('pid'), kept.streams]).toEqual([pid, 1]);
});

test('a file name that no file can have keeps what runs, and the next good file is used', async () => {
  const gateway = await startReloading(withRoutes({ policies: answer('one') }));
  const policies = { ...answer('two'), mcpAuthentication: { ...AUTHENTICATION, jwks: { file: 'pub\0key' } } };
  await gateway.folder.write('config.yaml', JSON.stringify(withRoutes({ policies })));
  await until(() => gateway.program.stderr.includes('The previous configuration stays in use'));
  await gateway.replace(withRoutes({ policies: answer('three') }));
  expect(await (await fetch(gateway.origin)).text()).toBe('three');
});

test('the warnings of a reload have the names of variables in place of their values', async () => {
  const gateway = await startReloading(withRoutes({ policies: answer('one') }), { env: { HOST_OF: 'hidden.example' } });
  const targets = [{ name: 'only', mcp: { host: 'http://$HOST_OF:1/mcp' } }];
  await gateway.replace(withRoutes({ backends: [{ mcp: { targets } }] }));
  await until(() => gateway.program.stderr.includes('http://$HOST_OF:1 is plain http'));
  expect(gateway.program.stderr).not.toContain('hidden');
});

test('a ConfigMap that Kubernetes replaces is read again, and so is a secret beside it', async () => {
  const folder = await makeGatewayFolder();
  const publish = async (version: string, file: object, secret: string) => {
    await mkdir(join(folder.path, version));
    await writeFile(join(folder.path, version, 'config.yaml'), JSON.stringify(file));
    await writeFile(join(folder.path, version, 'secret'), secret);
    await symlink(version, join(folder.path, '..data_tmp'));
    await rename(join(folder.path, '..data_tmp'), join(folder.path, '..data'));
  };
  const target = { host: 'http://127.0.0.1:1/mcp' };
  const remote = {
    matches: [{ path: { pathPrefix: '/remote' } }],
    backends: [{ mcp: { targets: [{ mcp: target, policies: { backendAuth: { key: { file: './secret' } } } }] } }],
  };
  await publish('..1', withRoutes(KEPT, remote), 'one');
  for (const name of ['config.yaml', 'secret']) await symlink(`..data/${name}`, join(folder.path, name));
  const gateway = await runReloading(folder);
  const kept = await connectStreaming(`${gateway.origin}/kept`);
  const pid = await kept.call('pid');
  expect(await gateway.after(() => publish('..2', withRoutes(KEPT, remote), 'two'))).toContain(
    '1 route kept, 1 started (routes[1]), 1 drained (routes[1])',
  );
  expect(await gateway.after(() => publish('..3', withRoutes(KEPT), 'two'))).toContain(
    '1 route kept, 0 started, 1 drained (routes[1])',
  );
  expect(await kept.call('pid')).toBe(pid);
  expect(gateway.program.stdout + gateway.program.stderr).not.toMatch(/\b(?:one|two)\b/);
});

test('a file behind a link into another folder is polled', async () => {
  const folder = await makeGatewayFolder();
  await mkdir(join(folder.path, 'elsewhere'));
  const real = join(folder.path, 'elsewhere', 'real.yaml');
  await writeFile(real, JSON.stringify(withRoutes(KEPT)));
  await symlink(real, join(folder.path, 'config.yaml'));
  const gateway = await runReloading(folder);
  const line = await gateway.after(() => writeFile(real, JSON.stringify(withRoutes(KEPT, routeTo('/more')))));
  expect(line).toContain('1 route kept, 1 started');
});

test('SIGHUP reads the file again and says so, even if nothing has changed', async () => {
  const gateway = await startReloading(withRoutes(KEPT));
  const line = await gateway.after(() => void process.kill(gateway.program.pid, 'SIGHUP'));
  expect(line).toContain('1 route kept, 0 started, 0 drained');
  expect(await gateway.program.stop()).toBe(0);
});

/** True if a process handles SIGHUP, which ends it otherwise. */
const catchesHangups = (pid: number) =>
  (BigInt(`0x${/^SigCgt:\s+(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]}`) & 1n) === 1n;

test.runIf(process.platform === 'linux')(
  'on Linux, SIGHUP during the start reloads once the command has started',
  async () => {
    const folder = await makeGatewayFolder();
    onTestFinished(() => folder.remove());
    const port = await freePort();
    const file = await folder.write(
      'config.json',
      JSON.stringify({ ...withRoutes(KEPT), gateways: { default: { port } } }),
    );
    const program = startNode([CLI, '-f', file, '--host', '127.0.0.1', '--admin', 'off']);
    await until(() => catchesHangups(program.pid));
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
    process.kill(program.pid, 'SIGHUP');
    await program.says(/Listening on[\s\S]*Reloaded \S+ \(sha256 \w+\): 1 route kept, 0 started, 0 drained/);
    expect(await program.stop()).toBe(0);
  },
);

test('warns when the file of the admin password has another content, which takes effect with the next start', async () => {
  const folder = await makeGatewayFolder();
  await folder.write('password', 'correct horse battery');
  await folder.write(
    'config.yaml',
    JSON.stringify({ ...withRoutes(KEPT), config: { adminPassword: { file: 'password' } } }),
  );
  const gateway = await runReloading(folder, { args: ['--admin', '127.0.0.1:0'] });
  await folder.write('password', 'another horse battery');
  await until(() => gateway.program.stderr.includes('adminPassword, readinessAddr, statsAddr, store'));
  expect(gateway.program.stderr).not.toContain('horse');
});

test('warns once of a setting that takes effect with the next start only', async () => {
  const file = withRoutes(KEPT);
  const gateway = await startReloading(file);
  const logging = { format: 'json' };
  for (const routes of [[KEPT], [KEPT, routeTo('/more')]])
    await gateway.replace({ ...file, routes, config: { logging } });
  await until(() => gateway.program.stderr.includes('next start'));
  expect(gateway.program.stderr).toBe(
    'WARN express-mcp-auth: adminAddr, adminPassword, readinessAddr, statsAddr, store, logging or tracing has changed, which takes effect with the next start\n',
  );
});

test('a new port is opened and an old one closed; a port that is in use keeps what runs', async () => {
  const [first, second] = [await freePort(), await freePort()];
  const on = (...ports: number[]) => ({
    binds: ports.map((port) => ({ port, listeners: [{ routes: [KEPT] }] })),
  });
  const gateway = await startReloading(on(first));
  const kept = await connectStreaming(`${gateway.origin}/kept`);
  const pid = await kept.call('pid');
  expect(await gateway.replace(on(first, second))).toContain(
    '1 route kept, 1 started (binds[1].listeners[0].routes[0])',
  );
  await gateway.program.says(new RegExp(`Listening on 127\\.0\\.0\\.1:${second}`));
  const other = await connectStreaming(`http://127.0.0.1:${second}/kept`);
  expect(await other.call('pid')).not.toBe(pid);
  const { port: taken } = new URL((await startReloading(withRoutes(KEPT))).origin);
  await writeFile(join(gateway.folder.path, 'config.yaml'), JSON.stringify(on(first, second, Number(taken))));
  await until(() => gateway.program.stderr.includes(`port ${taken} on 127.0.0.1 is in use`));
  expect(await kept.call('pid')).toBe(pid);
  await gateway.replace(on(second));
  await gateway.program.says(new RegExp(`Stopped listening on 127\\.0\\.0\\.1:${first}`));
  await until(() =>
    fetch(`${gateway.origin}/kept`).then(
      () => false,
      () => true,
    ),
  );
  await until(() => !isRunning(Number(pid)));
  expect(other.streams).toBe(1);
});

test('a part that --ignore leaves out may be removed from the file: a warning says it once, and the file is used', async () => {
  const args = ['--ignore', 'llm'];
  const gateway = await startReloading({ llm: {}, ...withRoutes(routeTo('/a')) }, { args });
  await gateway.replace(withRoutes(routeTo('/a', { env: { CHANGED: '1' } })));
  await gateway.replace(withRoutes(routeTo('/a', { env: { CHANGED: '2' } })));
  const lines = gateway.program.stderr.split('\n').filter((line) => line.includes('--ignore'));
  expect(lines).toEqual([
    expect.stringMatching(
      /^WARN express-mcp-auth: \S+config\.yaml: has no llm that can be left out: remove it from --ignore, or the next start is refused$/,
    ),
  ]);
});

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { reasonOf } from '../support/mcp-answers.js';
import { call, callText, initialize, open, post } from '../support/mcp-requests.js';
import { endPrograms } from '../support/program.js';
import { startEverything } from '../support/remote-servers.js';
import { SDK_USERS, type SdkUser, userOfV2 } from '../support/sdk-users.js';
import { serveTargets } from '../support/several-backend.js';
import { EVERYTHING, fixture, NODE } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

afterAll(endPrograms);

const server = (name: string): string =>
  fileURLToPath(new URL(`../../node_modules/@modelcontextprotocol/server-${name}/dist/index.js`, import.meta.url));
const everything = { command: NODE, args: [EVERYTHING] };
const plain = { command: NODE, args: [fixture('plain-target.mjs')] };
const conformance = { command: NODE, args: [fixture('conformance-server.mjs')] };

async function progressOf(user: SdkUser, target: string, steps: number): Promise<number[]> {
  const progress: number[] = [];
  await user.call(`${target}_trigger-long-running-operation`, { duration: 0.3, steps }, (step) => progress.push(step));
  return progress;
}

test.each(SDK_USERS)(
  'five real servers behind one address, two users of %s at once',
  { timeout: 60_000 },
  async (_sdk, connect) => {
    const folder = mkdtempSync(join(tmpdir(), 'files-'));
    writeFileSync(join(folder, 'a.txt'), 'the file');
    const remote = await startEverything();
    const { url, backend } = await serveTargets({
      targets: {
        one: everything,
        two: everything,
        files: { command: NODE, args: [server('filesystem'), folder] },
        memory: { command: NODE, args: [server('memory')], env: { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') } },
        remote: { url: remote.url },
      },
    });
    const [ada, bob] = await Promise.all([connect(url, 'ada'), connect(url, 'bob')]);
    const tools = await ada.tools();
    for (const name of ['one_echo', 'two_echo', 'files_read_text_file', 'memory_create_entities', 'remote_echo']) {
      expect(tools).toContain(name);
    }
    expect(await ada.call('files_read_text_file', { path: join(folder, 'a.txt') })).toBe('the file');
    const entity = { name: 'Ada', entityType: 'person', observations: ['writes'] };
    await ada.call('memory_create_entities', { entities: [entity] });
    expect(await bob.call('memory_read_graph', {})).toContain('writes');
    const echoes = ['one', 'two', 'remote'].map((name) => ada.call(`${name}_echo`, { message: name }));
    expect(await Promise.all(echoes)).toEqual(['Echo: one', 'Echo: two', 'Echo: remote']);
    const progress = [
      progressOf(ada, 'one', 3),
      progressOf(ada, 'two', 4),
      progressOf(ada, 'remote', 2),
      progressOf(bob, 'one', 5),
    ];
    expect(await Promise.all(progress)).toEqual([
      [1, 2, 3],
      [1, 2, 3, 4],
      [1, 2],
      [1, 2, 3, 4, 5],
    ]);
    const asked = ['one', 'two', 'remote'].map((name) => ada.call(`${name}_trigger-elicitation-request`, {}));
    for (const text of await Promise.all(asked)) expect(text).toContain('✅');
    const uri = 'two+demo://resource/dynamic/text/1';
    await ada.subscribe(uri);
    await ada.call('two_toggle-subscriber-updates', {});
    await until(() => ada.updates.includes(uri));
    expect(bob.updates.filter((each) => each === uri)).toEqual([]);
    await Promise.all([ada.close(), bob.close()]);
    await backend.close();
    expect(backend.stats()).toMatchObject({ sessions: 0, connections: 0, pending: 0 });
  },
);

test('revisions without sessions: two servers of SDK v2 behind one address', { timeout: 60_000 }, async () => {
  const { url, backend } = await serveTargets({ targets: { one: conformance, two: conformance } });
  const [ada, bob] = await Promise.all([userOfV2(url, 'ada'), userOfV2(url, 'bob')]);
  expect([ada.era, bob.era]).toEqual(['modern', 'modern']);
  expect(await ada.tools()).toContain('two_test_simple_text');
  const progress: number[] = [];
  await Promise.all([
    ada.call('one_test_tool_with_progress', {}, (step) => progress.push(step)),
    ada.call('two_test_tool_with_progress', {}, (step) => progress.push(step)),
  ]);
  expect(progress.sort((a, b) => a - b)).toEqual([0, 0, 50, 50, 100, 100]);
  const tool = 'test_input_required_result_elicitation';
  const elicited = await Promise.all([ada.call(`one_${tool}`, {}), bob.call(`two_${tool}`, {})]);
  expect(elicited.map((text) => /ada|bob/.exec(text)?.[0])).toEqual(['ada', 'bob']);
  await ada.watchTools();
  await ada.call('two_test_trigger_tool_change', {});
  await until(() => ada.updates.includes('tools'));
  expect(bob.updates).toEqual([]);
  await Promise.all([ada.close(), bob.close()]);
  await backend.close();
  expect(backend.stats().connections).toBe(0);
});

test('a server that speaks revisions with sessions only: clients fall back to those', { timeout: 60_000 }, async () => {
  const { url } = await serveTargets({ targets: { one: conformance, two: everything } });
  const user = await userOfV2(url, 'ada');
  expect(user.era).toBe('legacy');
  expect(await user.call('two_echo', { message: 'x' })).toBe('Echo: x');
  expect(await user.tools()).toContain('one_test_simple_text');
  await user.close();
});

test.each(SDK_USERS)(
  'sessions: false: %s calls several targets without a session',
  { timeout: 60_000 },
  async (_sdk, connect) => {
    const remote = await startEverything();
    const { url, backend } = await serveTargets({
      targets: { one: everything, remote: { url: remote.url } },
      sessions: false,
    });
    const [ada, bob] = await Promise.all([connect(url, 'ada'), connect(url, 'bob')]);
    expect(await ada.tools()).toContain('remote_echo');
    expect(await bob.call('one_echo', { message: 'x' })).toBe('Echo: x');
    expect(await Promise.all([progressOf(ada, 'one', 2), progressOf(bob, 'remote', 3)])).toEqual([
      [1, 2],
      [1, 2, 3],
    ]);
    await Promise.all([ada.close(), bob.close()]);
    await backend.close();
    expect(backend.stats()).toMatchObject({ sessions: 0, connections: 0 });
  },
);

test('a target that is killed in the middle of a call, over HTTP: the session goes on', async () => {
  const { url, backend } = await serveTargets({ targets: { one: plain, two: plain } });
  const session = await open(url, { authorization: 'Bearer ada' });
  const pid = Number(await callText(url, session, 'two_pid'));
  await new Promise((resolve) => setTimeout(resolve, 1_050));
  const hanging = post(url, call('h', 'two_hang'), session);
  await until(() => backend.stats().pending === 1);
  process.kill(pid, 'SIGKILL');
  expect(await reasonOf(await hanging)).toBe('child_exited');
  expect(await callText(url, session, 'one_echo')).toBe('plain {}');
  expect(Number(await callText(url, session, 'two_pid'))).not.toBe(pid);
  expect((await post(url, call(1, 'one_echo'), { ...session, authorization: 'Bearer bob' })).status).toBe(404);
});

test('failClosed over HTTP: a target that does not start is 502, and no process is left', async () => {
  const { url, backend } = await serveTargets({ targets: { one: plain, two: { ...plain, env: { FAILS: '1' } } } });
  const response = await post(url, initialize());
  expect([response.status, await reasonOf(response)]).toEqual([502, 'child_exited']);
  await until(() => backend.stats().connections === 0);
});

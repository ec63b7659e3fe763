import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { mcpBackend, mcpStdioBackend } from '../../src/index.js';
import { callText, listen, open, post } from '../support/mcp-requests.js';
import { endPrograms, startNode } from '../support/program.js';
import { fixture, NODE, SCRIPTED, serve, serveBackend } from '../support/stdio-bridge.js';

afterEach(endPrograms);

const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/.source;
const headers = { authorization: 'Bearer ada' };
const targets = { only: { command: NODE, args: [SCRIPTED] } };

describe('replica', () => {
  test.each([
    ['mcpStdioBackend()', (replica?: string) => serve({ replica })],
    ['mcpBackend()', (replica?: string) => serveBackend(mcpBackend({ targets, replica }))],
  ])('the ids of %s begin with it, and are as random as without', async (_function, start) => {
    for (const [replica, form] of [
      ['mcp-0', `^mcp-0\\.${UUID}$`],
      [undefined, `^${UUID}$`],
    ] as const) {
      const { url, stop } = await start(replica);
      onTestFinished(stop);
      const sessions = await Promise.all([open(url, headers), open(url, headers)]);
      const [one, other] = sessions.map((session) => session['mcp-session-id'] as string);
      for (const id of [one, other]) expect(id).toMatch(new RegExp(form));
      expect(one?.slice(-36)).not.toBe(other?.slice(-36));
    }
  });

  test('a session works as without: calls, its stream, its end; and it has its owner', async () => {
    const { url, stop } = await serve({ replica: 'a' });
    onTestFinished(stop);
    const session = await open(url, headers);
    expect(await callText(url, session, 'echo', { say: 'hello' })).toBe('{"say":"hello"}');
    await listen(url, session);
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    expect((await post(url, ping, { ...session, authorization: 'Bearer bob' })).status).toBe(404);
    const bare = (session['mcp-session-id'] as string).replace('a.', '');
    expect((await post(url, ping, { ...headers, 'mcp-session-id': bare })).status).toBe(404);
    expect((await fetch(url, { method: 'DELETE', headers: session })).status).toBe(200);
  });

  test.each([[''], ['a.b'], ['a b'], ['-a'], ['a-'], ['a_b'], ['ä'], ['a\n'], ['a'.repeat(64)], [1], [null], [['a']]])(
    '%j is refused',
    (replica) => {
      const message = `mcpStdioBackend(): option "replica" must be letters, digits and hyphens, 63 characters at most, with a letter or digit at both ends, but got ${JSON.stringify(replica)}. Give each replica a name of its own, such as "a".`;
      expect(() => mcpStdioBackend({ command: 'x', replica: replica as string })).toThrow(message);
    },
  );

  test.each([['a'], ['A1'], ['mcp-0'], ['a'.repeat(63)]])('%j is accepted', async (replica) => {
    await mcpStdioBackend({ command: 'x', replica }).close();
  });
});

const WARNING =
  'runs this program in several processes, and each has sessions that the others do not know: a request that reaches another ' +
  'process is answered 404. Give each process its own port and name (replica), or serve clients without sessions ' +
  '(sessions: false). See docs/replicas.md';

type Backends = readonly (readonly [name: string, options: object])[];

const STDIO = { command: 'x' };
const BOTH: Backends = [
  ['mcpStdioBackend', STDIO],
  ['mcpBackend', { targets: { a: STDIO } }],
];
const PM2 = { pm_id: '3', NODE_APP_INSTANCE: '0', instances: '2' };
const warnings = (manager: string) =>
  BOTH.map(([name]) => `${name}(): ${manager} ${WARNING}`)
    .join('\n')
    .concat('\n');

/** The lines that backends log at their construction, in a process with these variables. */
async function logOf(backends: Backends, env: Readonly<Record<string, string>>, isWorker = false): Promise<string> {
  const place = isWorker ? 'worker' : 'alone';
  const program = startNode([fixture('cluster-backend.mjs'), place, JSON.stringify(backends)], { env });
  expect(await program.ended, program.stderr).toBe(0);
  return program.stdout;
}

describe('several processes of one program', () => {
  test.each<[string, string, Backends, Readonly<Record<string, string>>, boolean?]>([
    ['in a worker of node:cluster: a warning', warnings('node:cluster'), BOTH, {}, true],
    ['under PM2 with -i 2: a warning', warnings('PM2'), BOTH, PM2],
    ['under PM2 with -i 2, in a worker: a warning', warnings('PM2'), BOTH, PM2, true],
    ['under PM2 with one process: none', '', BOTH, { ...PM2, instances: '1' }],
    ['under PM2 with one process, in a worker: none', '', BOTH, { ...PM2, instances: '1' }, true],
    ['in a process alone: none', '', BOTH, {}],
    ['with a name: none', '', BOTH.map(([name, options]) => [name, { ...options, replica: 'a' }]), PM2, true],
    ['without sessions: none', '', BOTH.map(([name, options]) => [name, { ...options, sessions: false }]), PM2, true],
    ['mcpHttpBackend(): none', '', [['mcpHttpBackend', { url: 'http://localhost:1/mcp' }]], PM2, true],
  ])('%s', async (_case, expected, backends, env, isWorker) => {
    expect(await logOf(backends, env, isWorker)).toBe(expected);
  });
});

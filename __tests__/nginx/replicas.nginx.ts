import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { blockToRun } from '../support/code-blocks.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { freePort } from '../support/loopback-server.js';
import { call, type Headers, open, post, postStateless, statelessCall } from '../support/mcp-requests.js';
import { PROXY_LINES, startNginx } from '../support/nginx.js';
import { CLI, endPrograms, type Program, startNode } from '../support/program.js';
import { startEverything } from '../support/remote-servers.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const USERS = Array.from({ length: 12 }, (_each, index) => `user-${index}`);
const CALLS = 4;

let folder: GatewayFolder;
const ports: Record<string, number> = {};
const replicas: Record<string, Program> = {};
let env: Record<string, string>;

async function startReplica(name: string): Promise<void> {
  const program = startNode([CLI, '-f', `${folder.path}/config.yaml`, '--host', '127.0.0.1', '--replica', name], {
    env: { ...env, PORT: String(ports[name]) },
  });
  replicas[name] = program;
  await program.says(/Listening on/);
}

beforeAll(async () => {
  folder = await makeGatewayFolder();
  const remote = { mcp: { host: (await startEverything()).url } };
  const program = (more: object = {}) => ({ stdio: { cmd: NODE, args: [SCRIPTED], ...more } });
  const route = (path: string, target: object, mcp: object = {}) => ({
    matches: [{ path: { exact: path } }],
    backends: [{ mcp: { targets: [target], ...mcp } }],
    policies: { mcpAuthentication: AUTHENTICATION },
  });
  const routes = [
    route('/remote', remote),
    route('/2026', program({ env: { STATELESS: '1' } })),
    route('/stateless', program(), { statefulMode: 'stateless' }),
    route('/sessions', program()),
  ];
  const gateways = { default: { port: '$PORT' } };
  const { config } = parse(blockToRun('docs/replicas.md', 'file')) as object & { config: object };
  await folder.write('config.yaml', JSON.stringify({ config, gateways, routes }));
  // Sessions need no Redis: nothing listens here.
  env = { SESSION_KEY: 'k'.repeat(32), REDIS_URL: 'redis://127.0.0.1:1' };
  for (const name of ['a', 'b']) ports[name] = await freePort();
  await Promise.all(['a', 'b'].map(startReplica));
}, 60_000);

afterAll(async () => {
  await endPrograms();
  await folder.remove();
});

const withPorts = (lines: string): string =>
  lines.replaceAll('127.0.0.1:3001', `127.0.0.1:${ports.a}`).replaceAll('127.0.0.1:3002', `127.0.0.1:${ports.b}`);

/** nginx in front of both, by default in turn. */
const BALANCERS = {
  'in turn': () => startNginx('http://mcp', PROXY_LINES, withPorts(IN_TURN)),
  'by the token': () => startNginx('http://mcp', PROXY_LINES, withPorts(blockToRun('docs/replicas.md', 'by-token'))),
  'by the name': () =>
    startNginx('http://$mcp_replica', PROXY_LINES, withPorts(blockToRun('docs/replicas.md', 'by-name'))),
} as const;
const IN_TURN = 'upstream mcp { server 127.0.0.1:3001; server 127.0.0.1:3002; }';

type Balancer = keyof typeof BALANCERS;

/** A new token each time, as a client gets one when it refreshes. */
const bearerOf = (sub: string): Headers => ({ authorization: `Bearer ${folder.token({ sub })}` });

const open12 = (url: string): Promise<Headers[]> => Promise.all(USERS.map((user) => open(url, bearerOf(user))));

/** Makes the calls of a session one after the other; resolves to their statuses. */
async function statusesIn(url: string, session: Headers): Promise<number[]> {
  const statuses = [];
  for (let id = 1; id <= CALLS; id++) {
    const response = await post(url, call(id, 'echo', { message: 'hello' }), session);
    await response.text();
    statuses.push(response.status);
  }
  return statuses;
}

/**
 * The number of sessions in which every call was answered. One session after the other: if all called at the same pace, nginx would send each
 * call of half of them to the replica that has the session.
 */
async function served(url: string, sessions: readonly Headers[]): Promise<number> {
  const all: number[][] = [];
  for (const session of sessions) all.push(await statusesIn(url, session));
  expect(all.flat().filter((status) => status !== 200 && status !== 404)).toEqual([]);
  return all.filter((statuses) => statuses.every((status) => status === 200)).length;
}

/** Opens sessions, and ends them again. */
async function servedNew(url: string): Promise<number> {
  const sessions = await open12(url);
  const count = await served(url, sessions);
  await end(url, sessions);
  return count;
}

const end = (url: string, sessions: readonly Headers[]) =>
  Promise.all(sessions.map((headers) => fetch(url, { method: 'DELETE', headers }).then((answer) => answer.text())));

const refreshed = (sessions: readonly Headers[]): Headers[] =>
  sessions.map((session, index) => ({ ...session, ...bearerOf(USERS[index] as string) }));

describe('two commands behind nginx', () => {
  test.each<[Balancer, 'all' | 'few']>([
    ['in turn', 'few'],
    ['by the token', 'all'],
    ['by the name', 'all'],
  ])(
    '%s: remote servers and clients without sessions are served; of the sessions of programs, %s',
    async (balancer, share) => {
      const origin = await BALANCERS[balancer]();
      expect(await servedNew(`${origin}/remote`)).toBe(12);
      const anySession = USERS.map(bearerOf);
      expect(await served(`${origin}/stateless`, anySession)).toBe(12);
      const stateless = await Promise.all(
        anySession.map((headers) => postStateless(`${origin}/2026`, statelessCall(1, 'echo'), headers)),
      );
      expect(stateless.map(({ status }) => status)).toEqual(USERS.map(() => 200));
      const count = await servedNew(`${origin}/sessions`);
      if (share === 'all') expect(count).toBe(12);
      else expect(count).toBeLessThan(6);
    },
  );

  test('after the tokens were refreshed: by the token, sessions are lost; by the name, none', async () => {
    const byToken = `${await BALANCERS['by the token']()}/sessions`;
    const byName = `${await BALANCERS['by the name']()}/sessions`;
    const lost = await open12(byToken);
    expect(await served(byToken, refreshed(lost))).toBeLessThan(12);
    await end(byName, lost);
    const kept = await open12(byName);
    expect(await served(byName, refreshed(kept))).toBe(12);
    await end(byName, kept);
  });

  test('one of them is killed and started: the sessions of the other go on, and its own are answered 404', async () => {
    const url = `${await BALANCERS['by the name']()}/sessions`;
    const sessions = await open12(url);
    const of = (name: string) => sessions.filter((session) => session['mcp-session-id']?.startsWith(`${name}.`));
    expect([of('a').length, of('b').length]).toEqual([6, 6]);
    await replicas.b?.stop('SIGKILL');
    expect(await served(url, of('a'))).toBe(6);
    for (const session of of('b')) expect(await statusesIn(url, session)).toEqual([404, 404, 404, 404]);
    expect(await servedNew(url)).toBe(12);
    await startReplica('b');
    for (const session of of('b')) expect(await statusesIn(url, session)).toEqual([404, 404, 404, 404]);
    // nginx tries a server that was down again after 10 s.
    await until(async () => {
      const session = await open(url, bearerOf('late'));
      await end(url, [session]);
      return session['mcp-session-id']?.startsWith('b.') === true;
    }, 20_000);
    expect(await served(url, of('a'))).toBe(6);
  });
});

import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { mcpAuth } from '../../src/index.js';
import { createRedisStore } from '../../src/store/redis.js';
import { DPOP, jkt, proof, signer } from '../support/dpop-proofs.js';
import { makeGatewayFolder } from '../support/gateway-folder.js';
import { freePort } from '../support/loopback-server.js';
import { post } from '../support/mcp-requests.js';
import { endPrograms, type Program, ROOT, startNode } from '../support/program.js';
import { claims, ISSUER, RESOURCE } from '../support/protected-app.js';
import { answerMcp, startRecordingTarget } from '../support/recording-target.js';
import { startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { connectNodeRedis } from './redis-clients.js';

afterEach(endPrograms);

const CLIENTS = ['redis', 'iovalkey'];

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** Installs the package in a folder of its own, with only some of the packages that have a client of Redis. Resolves to the command. */
async function installWith(clients: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'installed-'));
  folders.push(folder);
  for (const name of ['dist', 'package.json']) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  const packages = join(ROOT, 'node_modules');
  await mkdir(join(folder, 'node_modules'));
  for (const name of await readdir(packages)) {
    if (name.startsWith('.') || (CLIENTS.includes(name) && !clients.includes(name))) continue;
    await symlink(join(packages, name), join(folder, 'node_modules', name));
  }
  return join(folder, 'dist/gateway/cli.js');
}

const LIMIT = { maxTokens: 20, tokensPerFill: 1, fillInterval: '1h', per: 'user' };
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

interface Replica {
  readonly program: Program;
  call(token: string, path?: string, headers?: object): Promise<Response>;
}

/** A file with two routes, each with the same limit, and the function that starts a replica with it. */
async function writeFile(redis: string, command: string, prefix?: string) {
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const { url } = await startRecordingTarget(answerMcp());
  const route = (path: string) => ({
    matches: [{ path: { exact: path } }],
    backends: [{ mcp: { targets: [{ mcp: { host: url } }] } }],
    policies: {
      mcpAuthentication: {
        issuer: ISSUER,
        jwks: { keys: [signer.jwk] },
        resourceMetadata: { resource: RESOURCE },
        senderConstraint: DPOP.accept,
      },
      localRateLimit: [LIMIT],
    },
  });
  const config = { store: { redis: '$REDIS', ...(prefix && { prefix }) } };
  const file = { config, binds: [{ port: 0, listeners: [{ routes: [route('/mcp'), route('/other')] }] }] };
  const path = await folder.write('config.yaml', JSON.stringify(file));
  const start = async (): Promise<Replica> => {
    const program = startNode([command, '-f', path, '--host', '127.0.0.1'], { env: { REDIS: redis } });
    const [, origin] = await program.says(/Listening on (\S+)/);
    return {
      program,
      call: (token, at = '/mcp', headers = {}) =>
        post(`http://${origin}${at}`, PING, { authorization: `Bearer ${token}`, ...headers }),
    };
  };
  return { start, path };
}

const tokenOf = (sub: string, more: object = {}): string => signer.sign(claims({ sub, ...more }));
let users = 0;
/** Calls with a token of a new user that is bound to a key, and with one proof at each replica. */
async function callWithOneProof(...replicas: readonly Replica[]): Promise<number[]> {
  users += 1;
  const token = tokenOf(`bound-${users}`, { cnf: { jkt } });
  const dpop = proof({ ath: createHash('sha256').update(token).digest('base64url'), htm: 'POST' });
  const statuses = [];
  for (const { call } of replicas)
    statuses.push((await call(token, '/mcp', { authorization: `DPoP ${token}`, dpop })).status);
  return statuses;
}

describe.each(CLIENTS)('two commands with one config.store, with the package %s', (client) => {
  let command: string;
  beforeAll(async () => {
    command = await installWith([client]);
  });

  async function startTwo(prefix?: string) {
    const redis = await startRedis();
    const { start } = await writeFile(`redis://127.0.0.1:${redis.port}`, command, prefix);
    const [a, b] = await Promise.all([start(), start()]);
    return { redis, a: a as Replica, b: b as Replica, start };
  }

  test('a limit is one limit, and another route with the same limit has its own', async () => {
    const { a, b } = await startTwo();
    const token = tokenOf('ada');
    const answers = await Promise.all(Array.from({ length: 30 }, (_each, i) => [a, b][i % 2]?.call(token)));
    expect(answers.filter((answer) => answer?.status === 200)).toHaveLength(20);
    expect(answers.filter((answer) => answer?.status === 429)).toHaveLength(10);
    expect((await a.call(token, '/other')).status).toBe(200);
  });

  test('a DPoP proof counts once', async () => {
    const { a, b } = await startTwo();
    expect(await callWithOneProof(a, b)).toEqual([200, 401]);
  });

  test('what an app with the same store revokes, both refuse within a second', async () => {
    const { redis, a, b } = await startTwo('mine');
    const store = createRedisStore(await connectNodeRedis(redis.port), { prefix: 'mine' });
    const token = tokenOf('ada');
    for (const { call } of [a, b]) expect((await call(token)).status).toBe(200);
    mcpAuth({ issuer: ISSUER, audiences: [RESOURCE], jwks: { keys: [signer.jwk] }, store }).revoke({
      subject: 'ada',
      issuer: ISSUER,
    });
    await until(async () => (await a.call(token)).status === 401 && (await b.call(token)).status === 401, 1_500);
    expect((await b.call(tokenOf('bob'))).status).toBe(200);
  });

  test('Redis is stopped and started: calls pass meanwhile, proofs are answered 503, and all recovers', async () => {
    const { redis, a, b } = await startTwo();
    expect(await callWithOneProof(a, b)).toEqual([200, 401]);
    await redis.program.stop('SIGKILL');
    expect(await callWithOneProof(a, b)).toEqual([503, 503]);
    expect((await a.call(tokenOf('meanwhile'))).status).toBe(200);
    await until(() => a.program.stderr.includes('WARN express-mcp-auth: config.store: no connection to Redis ('));
    expect(a.program.stderr).toMatch(
      /mcpAuth\(\): the store cannot be used: no connection to Redis \(.+\)\. Until it can, requests with a DPoP proof/,
    );
    await startRedis(redis.port);
    for (const replica of [a, b]) await until(async () => (await callWithOneProof(replica))[0] === 200, 10_000);
    expect(await callWithOneProof(a, b)).toEqual([200, 401]);
  });
});

describe.each(CLIENTS)('Redis that is not there when the command starts, with the package %s', (client) => {
  test('the command serves, says so, and uses Redis once it is there', async () => {
    const port = await freePort();
    const { start } = await writeFile(`redis://:secret@127.0.0.1:${port}`, await installWith([client]));
    const a = await start();
    expect((await a.call(tokenOf('ada'))).status).toBe(200);
    expect(await callWithOneProof(a)).toEqual([503]);
    expect(a.program.stderr).toContain('config.store: no connection to Redis (ECONNREFUSED)');
    expect(a.program.stdout + a.program.stderr).not.toContain('secret');
    await startRedis(port, ['--requirepass', 'secret']);
    await until(async () => (await callWithOneProof(a))[0] === 200, 10_000);
    expect(a.program.stdout).toContain(`config.store: there is a connection to Redis at 127.0.0.1:${port} now`);
  });

  test('the command can be ended, even if Redis takes connections and never answers', async () => {
    const command = await installWith([client]);
    const mute = createServer();
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void mute.close());
    for (const port of [await freePort(), (mute.address() as AddressInfo).port]) {
      const { start } = await writeFile(`redis://127.0.0.1:${port}`, command);
      const replica = await start();
      expect((await replica.call(tokenOf('ada'))).status).toBe(200);
      expect(await replica.program.stop()).toBe(0);
    }
  });
});

test('without a package for Redis, the command names it, also with --validate-only', async () => {
  const command = await installWith([]);
  const { path } = await writeFile('redis://127.0.0.1:1', command);
  for (const more of [[], ['--validate-only']]) {
    const program = startNode([command, '-f', path, ...more], { env: { REDIS: 'redis://127.0.0.1:1' } });
    expect(await program.ended).toBe(1);
    const sentence = `${path}: config.store: needs the package redis or iovalkey: npm install redis`;
    expect(program.stderr).toBe(`express-mcp-auth: ${sentence}\n`);
  }
});

test('a file without config.store loads no client', async () => {
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const routes = [{ policies: { directResponse: { status: 200, body: 'hello' } } }];
  const path = await folder.write('config.yaml', JSON.stringify({ binds: [{ port: 0, listeners: [{ routes }] }] }));
  const program = startNode([await installWith([]), '-f', path, '--host', '127.0.0.1']);
  const [, origin] = await program.says(/Listening on (\S+)/);
  expect(await (await fetch(`http://${origin}/`)).text()).toBe('hello');
});

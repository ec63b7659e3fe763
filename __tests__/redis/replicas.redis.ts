import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { DPOP, jkt, proof, signer } from '../support/dpop-proofs.js';
import { endPrograms, type Program, ROOT, startNode } from '../support/program.js';
import { claims, ISSUER, RESOURCE } from '../support/protected-app.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';

afterEach(endPrograms);

const POLICY = {
  issuer: ISSUER,
  jwks: { keys: [signer.jwk] },
  resourceMetadata: { resource: RESOURCE },
  senderConstraint: DPOP.accept,
};

interface Replica {
  readonly program: Program;
  get(token: string, path?: string): Promise<Response>;
  getWithProof(token: string, proof: string): Promise<Response>;
  revoke(what: object): Promise<void>;
}

async function startReplica(library: string, { port }: RedisServer): Promise<Replica> {
  const file = `${ROOT}__tests__/fixtures/redis-replica.mjs`;
  const program = startNode([file, library, String(port), JSON.stringify(POLICY)]);
  const [, own] = await program.says(/listening on (\d+)/);
  const origin = `http://127.0.0.1:${own}`;
  const get = (authorization: string, headers: object, path = '/mcp') =>
    fetch(`${origin}${path}`, { headers: { accept: 'application/json', authorization, ...headers } });
  return {
    program,
    get: (token, path) => get(`Bearer ${token}`, {}, path),
    getWithProof: (token, dpop) => get(`DPoP ${token}`, { dpop }),
    async revoke(what) {
      const headers = { 'content-type': 'application/json' };
      await fetch(`${origin}/revoke`, { method: 'POST', headers, body: JSON.stringify(what) });
    },
  };
}

async function start(library: string): Promise<{ redis: RedisServer; a: Replica; b: Replica }> {
  const redis = await startRedis();
  const [a, b] = await Promise.all([startReplica(library, redis), startReplica(library, redis)]);
  return { redis, a: a as Replica, b: b as Replica };
}

const tokenOf = (sub: string, more: object = {}): string => signer.sign(claims({ sub, ...more }));
const codeOf = async (response: Response): Promise<unknown> => ((await response.json()) as { error?: unknown }).error;
let users = 0;
/** A token of a new user that is bound to a key, and a proof for it. */
function boundToken(): [token: string, proof: string] {
  users += 1;
  const token = tokenOf(`bound-${users}`, { cnf: { jkt } });
  return [token, proof({ ath: createHash('sha256').update(token).digest('base64url') })];
}

describe.each(['redis', 'iovalkey'])('two Express processes and one Redis, with the package %s', (library) => {
  test('what one revokes, the other refuses within a second', async () => {
    const { a, b } = await start(library);
    const cases: [token: string, revoke: object][] = [
      [tokenOf('ada'), { token: '' }],
      [tokenOf('bob'), { subject: 'bob' }],
      [tokenOf('cleo', { client_id: 'cli' }), { client: 'cli', issuer: ISSUER }],
    ];
    for (const [token, what] of cases) {
      expect([(await a.get(token)).status, (await b.get(token)).status]).toEqual([200, 200]);
      await a.revoke('token' in what ? { token } : what);
      const since = performance.now();
      expect((await a.get(token)).status).toBe(401);
      await until(async () => (await b.get(token)).status === 401, 1_000);
      expect(performance.now() - since).toBeLessThan(1_000);
    }
    expect((await b.get(tokenOf('dora'))).status).toBe(200);
  });

  test('a process that starts later knows what was revoked', async () => {
    const { redis, a } = await start(library);
    const token = tokenOf('ada');
    await a.revoke({ token });
    await pause(500);
    const c = await startReplica(library, redis);
    expect((await c.get(token)).status).toBe(401);
  });

  test('a proof counts once', async () => {
    const { a, b } = await start(library);
    const [token, dpop] = boundToken();
    const answers = await Promise.all([a, b, a, b].map((replica) => replica.getWithProof(token, dpop)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401]);
  });

  test('a limit is one limit', async () => {
    const { a, b } = await start(library);
    const token = tokenOf('ada');
    const answers = await Promise.all(Array.from({ length: 30 }, (_r, i) => [a, b][i % 2]?.get(token, '/limited')));
    expect(answers.filter((answer) => answer?.status === 200)).toHaveLength(20);
    const refused = answers.filter((answer) => answer?.status === 429);
    expect(refused).toHaveLength(10);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(3_500);
  });

  test('Redis is stopped and started under load: what each part does, and that all recovers', async () => {
    const { redis, a, b } = await start(library);
    const good = tokenOf('ada');
    const revoked = tokenOf('mallory');
    for (const replica of [a, b]) expect((await replica.get(revoked)).status).toBe(200);
    await a.revoke({ token: revoked });
    await until(async () => (await b.get(revoked)).status === 401, 1_000);

    const seen: { path: string; status: number; ms: number }[] = [];
    let isLoading = true;
    const load = [a, b, a, b].map(async (replica, i) => {
      for (let n = 0; isLoading; n += 1) {
        const path = n % 2 === 0 ? '/mcp' : '/limited';
        const began = performance.now();
        // Many users, so that no limit is reached.
        const { status } = await replica.get(path === '/mcp' ? good : tokenOf(`user-${i}-${n}`), path);
        seen.push({ path, status, ms: performance.now() - began });
      }
    });

    await redis.program.stop('SIGKILL');
    for (const replica of [a, b]) {
      const answer = await replica.getWithProof(...boundToken());
      expect([answer.status, answer.headers.get('retry-after'), await codeOf(answer)]).toEqual([
        503,
        '1',
        'store_unavailable',
      ]);
      expect((await replica.get(revoked)).status).toBe(401);
    }
    // Each process goes on counting its own calls.
    const local = await Promise.all(Array.from({ length: 25 }, () => b.get(tokenOf('local'), '/limited')));
    expect(local.filter(({ status }) => status === 200)).toHaveLength(20);
    const late = tokenOf('late');
    expect((await b.get(late)).status).toBe(200);
    await a.revoke({ token: late });
    expect([(await a.get(late)).status, (await b.get(late)).status]).toEqual([401, 200]);

    await startRedis(redis.port);
    const recovers = async () => (await b.getWithProof(...boundToken())).status === 200;
    await until(recovers, 10_000);
    await until(async () => (await b.get(late)).status === 401, 10_000);
    await until(async () => (await a.getWithProof(...boundToken())).status === 200, 10_000);
    const [token, dpop] = boundToken();
    expect([(await a.getWithProof(token, dpop)).status, (await b.getWithProof(token, dpop)).status]).toEqual([
      200, 401,
    ]);
    expect((await a.get(revoked)).status).toBe(401);

    isLoading = false;
    await Promise.all(load);
    expect(seen.filter(({ status }) => status !== 200)).toEqual([]);
    expect(Math.max(...seen.map(({ ms }) => ms))).toBeLessThan(2_500);
    for (const { program } of [a, b]) {
      const written = program.stdout + program.stderr;
      expect(written.match(/mcpLimits\(\): the store cannot be used/g)).toHaveLength(1);
      expect(written.match(/Until it can, this process applies the ones that it knows/g)).toHaveLength(1);
      expect(written.match(/Until it can, requests with a DPoP proof/g)).toHaveLength(1);
      expect(written).toContain('the store can be used again');
    }
  });

  test('a Redis that does not answer holds up requests for a second, and then none', async () => {
    const { redis, a } = await start(library);
    expect((await a.get(tokenOf('ada'), '/limited')).status).toBe(200);
    process.kill(redis.program.pid, 'SIGSTOP');
    await a.get(tokenOf('ada'), '/limited');
    const began = performance.now();
    const answers = [];
    for (let i = 0; i < 10; i += 1) answers.push((await a.get(tokenOf('ada'), '/limited')).status);
    expect(answers).toEqual(Array(10).fill(200));
    expect(performance.now() - began).toBeLessThan(900);
    process.kill(redis.program.pid, 'SIGCONT');
    await until(async () => (await a.getWithProof(...boundToken())).status === 200, 5_000);
  });
});

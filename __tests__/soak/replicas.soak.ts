import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { blockToRun } from '../support/code-blocks.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { PROXY_LINES, startNginx } from '../support/nginx.js';
import { endPrograms } from '../support/program.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { startEverything } from '../support/remote-servers.js';
import { until } from '../support/until.js';
import { type Outcome, SoakClient, type Use } from './clients.js';
import { createRandom } from './random.js';
import { processesWith, Replicas } from './replicas.js';
import { fileOf, UNCHANGED } from './soak-file.js';

afterEach(endPrograms);

const SEED = Number(process.env.SOAK_SEED ?? 20_261_129);
const CHANGES = 100;
const CHANGE_EVERY_MS = 380;
/** Bytes by which the memory of a replica may grow from the middle to the end. */
const MAX_GROWTH = 5_000_000;

/** The 50 clients: their numbers, by path. */
const CLIENTS: readonly (readonly [path: string, use: Use, count: number])[] = [
  ['/sessions', 'session', 12],
  ['/remote', 'session', 10],
  ['/stateless', 'without session', 6],
  ['/2026', '2026-07-28', 4],
  ['/dying', 'session', 6],
  ['/changing-remote', 'session', 10],
  ['/changing', 'session', 2],
];

const random = createRandom(SEED);

/** Mostly calls; sometimes the program ends, in one of several ways. */
const nextToolOfDying = () => {
  const throwOfDice = random();
  if (throwOfDice < 0.08) return 'crash';
  return throwOfDice < 0.12 ? 'answer-half-and-exit' : 'echo';
};

function createClients(origin: string, folder: GatewayFolder): SoakClient[] {
  return CLIENTS.flatMap(([path, use, count]) =>
    Array.from({ length: count }, (_each, index) => {
      const headers = { authorization: `Bearer ${folder.token({ sub: `${path}-${index}` })}` };
      const isRight = (text: string | undefined, message: string) =>
        text === (path.endsWith('remote') ? `Echo: ${message}` : message);
      const nextTool = path === '/dying' ? nextToolOfDying : undefined;
      return new SoakClient({
        url: origin + path,
        use,
        headers,
        random: createRandom(random() * 2 ** 32),
        nextTool,
        isRight,
      });
    }),
  );
}

interface Kill {
  readonly at: number;
  /** True for a call whose answer went with the replica. */
  excuses(outcome: Outcome): boolean;
}

/** Starts the replica b, as a process manager does: again and again while the file is broken. */
async function startAgain(replicas: Replicas): Promise<void> {
  try {
    await replicas.start('b');
  } catch {
    await startAgain(replicas);
  }
}

/** Kills the replica b, and starts it again. */
async function killAndStart(replicas: Replicas): Promise<Kill> {
  const at = performance.now();
  await replicas.program('b').stop('SIGKILL');
  // Until then, the system takes connections for it.
  const gone = performance.now();
  await pause(1_500);
  await startAgain(replicas);
  return {
    at,
    excuses: ({ session, openedAt, began, ended }) =>
      (session?.startsWith('b.') === true && openedAt <= at && ended >= at) || (began <= gone && ended >= at),
  };
}

/** Puts one version after the other in place of the file. Each tenth is broken. */
async function changeFile(folder: GatewayFolder, settings: Parameters<typeof fileOf>[1]): Promise<void> {
  const began = performance.now();
  for (let version = 1; version <= CHANGES; version++) {
    const text = version % 10 === 5 ? 'routes: [' : fileOf(version, settings);
    await rename(await folder.write('next', text), join(folder.path, 'config.yaml'));
    await pause(Math.max(0, began + version * CHANGE_EVERY_MS - performance.now()));
  }
}

async function restartRedis(redis: RedisServer): Promise<void> {
  await redis.program.stop('SIGKILL');
  await pause(4_000);
  await startRedis(redis.port);
}

/** The bytes in use in the replica a, apart from those of the calls in flight. */
async function bytesInUse(replicas: Replicas): Promise<number> {
  const figures = [];
  for (let i = 0; i < 3; i += 1) figures.push(await replicas.bytesIn('a'));
  return Math.min(...figures);
}

/** Causes the failures while the clients call; resolves to its findings. */
async function disturb(replicas: Replicas, redis: RedisServer, changed: Promise<void>) {
  await pause(6_000);
  await restartRedis(redis);
  await pause(3_000);
  const kill = await killAndStart(replicas);
  await pause(2_000);
  const middle = await bytesInUse(replicas);
  await changed;
  return { kill, middle };
}

test(`replicas serve 50 clients without a lost answer, whatever ends or changes (seed ${SEED})`, async () => {
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const settings = { remote: (await startEverything()).url, mark: `soak-${randomUUID()}` };
  const file = await folder.write('config.yaml', fileOf(0, settings));
  const redis = await startRedis();
  const env = { SESSION_KEY: 'k'.repeat(32), REDIS_URL: `redis://127.0.0.1:${redis.port}` };
  const replicas = await Replicas.create(file, env);
  await Promise.all([replicas.start('a'), replicas.start('b')]);
  const lines = blockToRun('docs/replicas.md', 'by-name')
    .replaceAll('127.0.0.1:3001', `127.0.0.1:${replicas.ports.a}`)
    .replaceAll('127.0.0.1:3002', `127.0.0.1:${replicas.ports.b}`);
  const origin = await startNginx('http://$mcp_replica', PROXY_LINES, lines);

  let isOver = false;
  const clients = createClients(origin, folder);
  const running = clients.map((client) => client.run(() => isOver));
  const { kill, middle } = await disturb(replicas, redis, changeFile(folder, settings));
  const last = `version-${CHANGES}`;
  await until(() => {
    const changing = processesWith(settings.mark).filter((line) => line.includes('version-'));
    return changing.length > 0 && changing.every((line) => line.includes(last));
  }, 15_000);
  const end = await bytesInUse(replicas);
  isOver = true;
  await Promise.all(running);

  const outcomes = clients.flatMap((client) => client.outcomes);
  const lost = outcomes.filter((outcome) => outcome.problem !== undefined);
  const of = (...paths: readonly string[]) => lost.filter(({ path }) => paths.includes(path));
  console.log({
    calls: outcomes.length,
    withoutRightAnswer: lost.length,
    middle,
    end,
    cpu: replicas.log.match(/CPU: \S+/g)?.at(-1),
  });
  expect(of(...UNCHANGED).filter((outcome) => !kill.excuses(outcome))).toEqual([]);
  // Its sessions are those of a remote server, and go on in the next version of the route.
  expect(of('/changing-remote').filter((outcome) => !kill.excuses(outcome) && !isRefusedOpening(outcome))).toEqual([]);
  expect(of('/changing', '/dying').filter((outcome) => !kill.excuses(outcome) && !isExpected(outcome))).toEqual([]);
  expect(outcomes.length).toBeGreaterThan(clients.length * 5);
  expect(end - middle).toBeLessThan(MAX_GROWTH);

  expect(await Promise.all([replicas.program('a').stop(), replicas.program('b').stop()])).toEqual([0, 0]);
  await until(() => processesWith(settings.mark).length === 0);
  expect(replicas.log.match(/^PROBE (?!bytes).*$/gm) ?? []).toEqual([]);
  // A busy machine reads several changes at once.
  expect(replicas.log.match(/\(sha256 \w+\)/g)?.length).toBeGreaterThan(CHANGES / 5);
});

/** A route that drains opens no session. */
function isRefusedOpening({ session, status }: Outcome): boolean {
  return session === undefined && status === 503;
}

/** A program that ends answers with an error, and its session is unknown then. */
function isExpected(outcome: Outcome): boolean {
  const { status, problem = '' } = outcome;
  return status === 404 || (status === 200 && problem.includes('"error"')) || isRefusedOpening(outcome);
}

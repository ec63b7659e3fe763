import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import { mcpAuth } from '../dist/index.js';
import { createTestIssuer } from '../dist/testing/index.js';
import { median } from './median.mjs';
import { LeanClient } from './stdio/lean-client.mjs';

const QUICK = process.argv.includes('--quick');
// Counted in requests and not in seconds: on a busy machine, seconds would measure code that is not compiled yet, or no requests at all.
const TURN = 250;
const [WARM_UP, CALLS] = QUICK ? [10_000, 25_000] : [20_000, 100_000];
/** Calls in flight. */
const CONNECTIONS = 16;
/** Each round has a new process: some are faster than others for as long as they live. */
const ROUNDS = Number(process.env.ROUNDS ?? 1);

/**
 * Prints how much more CPU time the second of two routes takes for a call than the first, and how much more of it the kernel
 * takes: that part is mostly for sockets, and varies with what other processes do. Both belong to one process: two processes differ by
 * more than what is measured.
 *
 * @param file The program that calls this function: it is also the server.
 * @param comparisons By the sentence that is printed: functions, called in the server with the issuer of the client's token, that return the
 * two lists of middlewares as `routes`. Both are behind one mcpAuth(), unless `isOpen` is true. `enter`, if there is one, is called with 0 or
 * 1 when the calls of that route begin and when they have ended.
 */
export async function compareRoutes(file, call, comparisons) {
  const served = process.argv.find((argument) => argument.startsWith('--serve='));
  if (served !== undefined) {
    await serve(comparisons[served.slice('--serve='.length)]);
    return;
  }
  const only = process.env.ONLY ?? '';
  console.log(
    `A call of ${call.length} bytes: µs of CPU in the server, medians of ${ROUNDS} × ${CALLS / TURN} turns of ${TURN} calls`,
  );
  for (const name of Object.keys(comparisons)) if (name.includes(only)) await compareRounds(file, name, call);
}

async function compareRounds(file, name, call) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await compare(file, name, call));
  const of = (key) => median(rounds.map((round) => round[key])).toFixed(1);
  const all = ROUNDS === 1 ? '' : `; the rounds: ${rounds.map(({ added }) => added.toFixed(1)).join(', ')}`;
  console.log(
    `${of('added').padStart(6)} µs  ${name} (${of('one')} and ${of('other')}; kernel time, a mean: ${of('inKernel')}${all})`,
  );
}

async function serve(comparison) {
  const issuer = createTestIssuer();
  const auth = mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp' }));
  const { routes, isOpen = false, enter = () => undefined } = await comparison(issuer);
  const app = express();
  for (const [i, steps] of routes.entries()) app.use(`/${i}`, ...(isOpen ? [] : [auth]), ...steps);
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.on('message', ({ route }) => {
    if (route !== undefined) enter(route);
    process.send?.(process.cpuUsage());
  });
  process.once('disconnect', () => process.exit());
  process.send?.({
    port: server.address().port,
    token: issuer.token({ scopes: ['admin', 'reports:read'] }),
  });
}

async function start(file, name) {
  const env = { ...process.env, NODE_ENV: 'production' };
  const child = fork(file, [`--serve=${name}`], { env });
  const [{ port, token }] = await once(child, 'message');
  const authorization = `authorization: Bearer ${token}\r\n`;
  // Both routes get the same connections: the kernel treats each one differently, as its congestion control has measured it.
  return { child, clients: Array.from({ length: CONNECTIONS }, () => new LeanClient(port, authorization)) };
}

/** The first calls are for warming up. Then the routes take turns, so that other load on the machine affects both alike. Returns medians in µs. */
async function compare(file, name, call) {
  const host = await start(file, name);
  for (let i = 0; i < WARM_UP; i += TURN) for (const route of [0, 1]) await measure(host, route, call);
  const turns = [];
  for (let i = 0; i < CALLS; i += TURN) {
    const spent = [];
    for (const route of i % (2 * TURN) === 0 ? [0, 1] : [1, 0]) spent[route] = await measure(host, route, call);
    turns.push(spent);
  }
  for (const client of host.clients) client.close();
  host.child.disconnect();
  const [one, other] = [0, 1].map((route) => median(turns.map((spent) => spent[route].total)));
  const added = median(turns.map(([first, second]) => second.total - first.total));
  // The kernel counts its own time in ticks, so only long sums are accurate.
  const inKernel = turns.reduce((sum, [first, second]) => sum + second.system - first.system, 0) / turns.length;
  return { one, other, added, inKernel };
}

/** Microseconds of CPU for one call at a route, and how many of them in the kernel. */
async function measure(host, route, call) {
  const before = await cpuOf(host, { route });
  let left = TURN;
  let isMeasuring = true;
  keepAwake(() => isMeasuring);
  await Promise.all(
    host.clients.map(async (client) => {
      client.path = `/${route}`;
      while (left-- > 0) {
        const answer = await client.post(call);
        if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`answered ${answer.slice(0, 200)}`);
      }
    }),
  );
  isMeasuring = false;
  const after = await cpuOf(host);
  const system = (after.system - before.system) / TURN;
  return { system, total: system + (after.user - before.user) / TURN };
}

/**
 * Keeps this process from sleeping. The server would have to wake it with its answers, and more often on the route that takes longer: in a
 * virtual machine that costs more than what is compared.
 */
function keepAwake(isNeeded) {
  if (isNeeded()) setImmediate(keepAwake, isNeeded);
}

async function cpuOf({ child }, message = {}) {
  child.send(message);
  const [usage] = await once(child, 'message');
  return usage;
}

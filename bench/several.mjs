import { fileURLToPath } from 'node:url';
import { print, race } from './race.mjs';
import { HostProcess } from './stdio/host-process.mjs';
import { LeanClient, openSession } from './stdio/lean-client.mjs';

// Several targets behind one address, compared with one of them behind the stdio bridge, in one run: ratios count, absolute numbers do
// not. Never a condition of CI.
const QUICK = process.argv.includes('--quick');
const PACE = QUICK ? { turns: 3, turnMs: 400 } : { turns: 9, turnMs: 1_000 };
const HOSTS = fileURLToPath(new URL('several/hosts.mjs', import.meta.url));
let id = 0;

const request = (method, params) =>
  `{"jsonrpc":"2.0","id":${++id},"method":"${method}","params":${JSON.stringify(params)}}`;

async function contender(name, body) {
  const host = await HostProcess.run(name, (port) => [HOSTS, name, `${port}`]);
  const clients = Array.from({ length: 16 }, () => new LeanClient(host.port));
  const session = await openSession(clients[0]);
  const callers = clients.map((client) => async () => {
    const answer = await client.post(body(), session);
    if (!answer.startsWith('HTTP/1.1 200') || answer.includes('"error"'))
      throw new Error(`${name}: ${answer.slice(0, 300)}`);
  });
  const stop = async () => {
    for (const client of clients) client.close();
    await host.stop();
  };
  return { name, host, callers, stop };
}

/** Asks four targets at once, each behind a bridge of its own, and waits for the slowest. */
async function four(name, body) {
  const host = await HostProcess.run(name, (port) => [HOSTS, name, `${port}`]);
  const clients = Array.from({ length: 4 }, () => new LeanClient(host.port));
  const sessions = [];
  for (const client of clients) sessions.push(await openSession(client));
  const caller = () => Promise.all(clients.map((client, index) => client.post(body(), sessions[index])));
  const stop = async () => {
    for (const client of clients) client.close();
    await host.stop();
  };
  return { name: `four times ${name}, at once`, host, callers: [caller], stop };
}

/** Lets contenders take turns; the first one is the base of the ratios. */
async function compare(title, contenders, inFlight) {
  const speeds = await race(contenders, inFlight, PACE);
  for (const each of contenders) await each.stop();
  const base = speeds.get(contenders[0].name);
  const ratio = (speed, key) => (speed[key] / base[key]).toFixed(2);
  print([
    [title, 'CPU µs', 'CPU, ratio', 'p50 ms', 'p50, ratio'],
    ...[...speeds].map(([name, speed]) => [
      name,
      Math.round(speed.cpu),
      ratio(speed, 'cpu'),
      speed.p50.toFixed(2),
      ratio(speed, 'p50'),
    ]),
  ]);
}

const call = (tool) => () => request('tools/call', { name: tool, arguments: { message: 'hello' } });
const calls = [await contender('mcpStdioBackend()', call('echo')), await contender('one target', call('echo'))];
for (const name of ['two targets', 'four targets']) calls.push(await contender(name, call('t1_echo')));
await compare('calls, 16 in flight', calls, 16);

const list = () => request('tools/list', {});
for (const [one, ...joined] of [
  ['list of 50', 'list of 4 × 50'],
  ['list of 200', 'list of 4 × 200', 'list of 4 × 200, pinned'],
]) {
  const contenders = [await four(one, list), await contender(one, list)];
  for (const name of joined) contenders.push(await contender(name, list));
  await compare('lists, 1 in flight', contenders, 1);
}

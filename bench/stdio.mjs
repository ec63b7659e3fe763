import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { EVERYTHING, HostProcess, LEAN_SERVER } from './stdio/host-process.mjs';
import { LeanClient, openSession, toolCall } from './stdio/lean-client.mjs';

// Side by side on this machine, in one run: ratios count, absolute numbers do not. Never a condition of CI.
const QUICK = process.argv.includes('--quick');
const TURNS = QUICK ? 3 : 9;
const TURN_MS = QUICK ? 400 : 1_000;
async function contender(name) {
  const host = await HostProcess.start(name);
  const clients = Array.from({ length: 16 }, () => new LeanClient(host.port));
  const session = await openSession(clients[0]);
  const callers = clients.map((client) => async () => {
    const answer = await client.post(toolCall(), session);
    if (!answer.startsWith('HTTP/1.1 200')) throw new Error(answer.slice(0, 200));
  });
  const stop = async () => {
    for (const client of clients) client.close();
    await host.stop();
  };
  return { name, host, callers, stop };
}
async function direct() {
  const client = new Client({ name: 'bench', version: '1' });
  const transport = new StdioClientTransport({ command: process.execPath, args: [LEAN_SERVER] });
  await client.connect(transport);
  const caller = () => client.callTool({ name: 'echo', arguments: { message: 'hello' } });
  return { name: 'SDK client on stdio', host: undefined, callers: Array(16).fill(caller), stop: () => client.close() };
}
async function slice({ host, callers }, inFlight, ms) {
  const times = [];
  const cpu = host?.cpu() ?? Number.NaN;
  const start = performance.now();
  const end = start + ms;
  await Promise.all(
    callers.slice(0, inFlight).map(async (call) => {
      for (let then = performance.now(); then < end; ) {
        await call();
        const now = performance.now();
        times.push(now - then);
        then = now;
      }
    }),
  );
  const seconds = (performance.now() - start) / 1_000;
  const used = (host?.cpu() ?? Number.NaN) - cpu;
  return { perSecond: times.length / seconds, p50: median(times), cpu: used / times.length };
}
/** Lets the contenders take turns, so that other load on the machine affects all of them alike; the median of the turns counts. */
async function race(contenders, inFlight) {
  const turns = new Map(contenders.map(({ name }) => [name, []]));
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const each of contenders) {
      const speed = await slice(each, inFlight, TURN_MS);
      // The first turn is for warming up.
      if (turn > 0) turns.get(each.name)?.push(speed);
    }
  }
  const of = (speeds, key) => median(speeds.map((speed) => speed[key]));
  return new Map(
    [...turns].map(([name, all]) => [
      name,
      { perSecond: of(all, 'perSecond'), p50: of(all, 'p50'), cpu: of(all, 'cpu') },
    ]),
  );
}
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
async function opening(name, server) {
  const host = await HostProcess.start(name, server);
  const times = [];
  for (let round = 0; round < (QUICK ? 5 : 15); round++) {
    // Waits until the next warm child is ready: the opening is measured, not its preparation.
    await new Promise((resolve) => setTimeout(resolve, server === EVERYTHING ? 1_500 : 400));
    const client = new LeanClient(host.port);
    const start = performance.now();
    await openSession(client);
    times.push(performance.now() - start);
    client.close();
  }
  await host.stop();
  return median(times);
}
async function memoryPerSession(name) {
  const host = await HostProcess.start(name);
  const open = async (count) => {
    for (let session = 0; session < count; session++) {
      const client = new LeanClient(host.port);
      await client.post(toolCall(), await openSession(client));
      client.close();
    }
  };
  await open(5);
  const before = await host.memory();
  await open(50);
  const after = await host.memory();
  await host.stop();
  return (after.used - before.used) / 50 / 1_024;
}
async function growth(name) {
  const host = await HostProcess.start(name);
  const clients = Array.from({ length: 16 }, () => new LeanClient(host.port));
  const session = await openSession(clients[0]);
  const call = (count) =>
    Promise.all(
      clients.map(async (client) => {
        for (let round = 0; round < count / clients.length; round++) await client.post(toolCall(), session);
      }),
    );
  await call(5_000);
  const before = await host.memory();
  await call(20_000);
  const after = await host.memory();
  for (const client of clients) client.close();
  await host.stop();
  return (after.resident - before.resident) / 20_000;
}
async function main() {
  const names = ['express', 'node', 'gateway', 'memory', 'in-process', 'supergateway', 'mcp-proxy'];
  const contenders = [...(await Promise.all(names.map(contender))), await direct()];
  const many = await race(contenders, 16);
  const one = await race(contenders, 1);
  for (const each of contenders) await each.stop();
  const rows = [...many].map(([name, { perSecond, cpu }]) => {
    const single = one.get(name);
    return [name, Math.round(perSecond), Math.round(single.perSecond), single.p50.toFixed(2), Math.round(cpu)];
  });
  print([['', 'calls/s, 16 in flight', 'calls/s, 1', 'p50 ms, 1', 'CPU µs/call, 16'], ...rows]);
  const peers = ['supergateway', 'mcp-proxy', 'memory', 'in-process'];
  const ratios = (name, speeds, key) =>
    peers.map((peer) => ((speeds.get(name)?.[key] ?? 0) / (speeds.get(peer)?.[key] ?? 0)).toFixed(2));
  print([
    ['express-mcp-auth against', ...peers],
    ...['express', 'node', 'gateway'].flatMap((name) => [
      [`${name}, calls/s, 16 in flight`, ...ratios(name, many, 'perSecond')],
      [`${name}, CPU, 16 in flight`, ...ratios(name, many, 'cpu')],
      [`${name}, calls/s, 1 in flight`, ...ratios(name, one, 'perSecond')],
      [`${name}, p50, 1 in flight`, ...ratios(name, one, 'p50')],
    ]),
  ]);
  const openings = [];
  for (const [name, server] of [
    ['a lean server', LEAN_SERVER],
    ['server-everything', EVERYTHING],
  ]) {
    const [cold, warm] = [await opening('express', server), await opening('warm', server)];
    openings.push([name, cold.toFixed(1), warm.toFixed(1), (warm / cold).toFixed(2)]);
  }
  print([['opening a session, ms', 'cold', 'warm', 'warm/cold'], ...openings]);
  const bridges = ['express', 'supergateway', 'mcp-proxy'];
  const memory = [];
  for (const name of bridges) {
    memory.push([name, (await memoryPerSession(name)).toFixed(1), (await growth(name)).toFixed(0)]);
  }
  print([['', 'KiB per idle session', 'resident bytes per call over 20,000'], ...memory]);
}
function print(table) {
  const [head = [], ...body] = table;
  console.log(`\n| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|`);
  for (const row of body) console.log(`| ${row.join(' | ')} |`);
}
main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SignJWT } from 'jose';
import { medians, print, takeTurns } from './race.mjs';
import { HostProcess } from './stdio/host-process.mjs';
import { LeanClient, openSession, toolCall } from './stdio/lean-client.mjs';

// Compares what can be put in front of a remote MCP server, side by side on this machine, in one run: ratios count, absolute numbers do
// not. Never a condition of CI. http-proxy-middleware needs Node 22, so it runs on Node 24.
const QUICK = process.argv.includes('--quick');
// V8 goes on optimizing for the first 60,000 calls or so. Short turns: other load on the machine lasts for seconds.
const PACE = QUICK ? { turns: 1, turnMs: 400, warmUpMs: 1_000 } : { turns: 20, turnMs: 150, warmUpMs: 8_000 };
// Each round has new processes: some are faster than others for as long as they live.
const ROUNDS = QUICK ? 2 : 5;
const STREAMS = 1_000;
const PEERS = ['undici', 'node', 'http-proxy-middleware'];
const OURS = ['express', 'command', 'command --admin off'];

const local = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = join(folder, 'jwks.json');
writeFileSync(
  jwks,
  JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' }] }),
);
const token = await new SignJWT({ sub: 'ada', client_id: 'bench' })
  .setProtectedHeader({ alg: 'ES256', kid: 'bench' })
  .setIssuer('https://issuer.example')
  .setAudience('bench')
  .setExpirationTime('1 day')
  .sign(privateKey);
const AUTHORIZATION = `authorization: Bearer ${token}\r\n`;

// The command reads a file; JSON is YAML.
function commandFile(port, url) {
  const policies = {
    mcpAuthentication: { issuer: 'https://issuer.example', audiences: ['bench'], jwks: { file: jwks } },
  };
  const backends = [{ mcp: { targets: [{ name: 'lean', mcp: { host: url, maxPendingRequests: 2 * STREAMS } }] } }];
  const file = join(folder, `config-${port}.yaml`);
  writeFileSync(file, JSON.stringify({ binds: [{ port, listeners: [{ routes: [{ policies, backends }] }] }] }));
  return file;
}

function startHost(name, url) {
  return HostProcess.run(name, (port) =>
    name.startsWith('command')
      ? [
          local('../dist/gateway/cli.js'),
          ...['-f', commandFile(port, url), '--host', '127.0.0.1'],
          ...name.split(' ').slice(1),
        ]
      : [local('http/hosts.mjs'), name, `${port}`, url, jwks],
  );
}

async function contender(name, host) {
  const clients = Array.from({ length: 16 }, () => new LeanClient(host.port, AUTHORIZATION));
  const session = await openSession(clients[0]);
  const callers = clients.map((client) => async () => {
    const answer = await client.post(toolCall(), session);
    if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`${name}: ${answer.slice(0, 200)}`);
  });
  const release = () => {
    for (const client of clients) client.close();
  };
  const stop = async () => {
    release();
    await host.stop();
  };
  return { name, host, callers, stop, release };
}

/** Opens event streams in one session; resolves to what ends them, as soon as each has said something. */
async function openStreams(port, count) {
  const client = new LeanClient(port, AUTHORIZATION);
  const session = await openSession(client);
  client.close();
  const request =
    `GET /mcp HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: text/event-stream\r\n${AUTHORIZATION}` +
    `mcp-session-id: ${session}\r\n\r\n`;
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(port, '127.0.0.1').setEncoding('latin1');
      socket.write(request);
      let received = '';
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        received += chunk;
        if (received.includes(': hello')) break;
      }
      if (!received.startsWith('HTTP/1.1 200')) throw new Error(received.slice(0, 200));
      return socket.resume();
    }),
  );
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

async function memoryPerStream(name, url) {
  const host = await startHost(name, url);
  const closeFirst = await openStreams(host.port, 10);
  const before = await host.memory();
  const close = await openStreams(host.port, STREAMS);
  const after = await host.memory();
  close();
  closeFirst();
  await host.stop();
  return (after.used - before.used) / STREAMS / 1_024;
}

const target = await HostProcess.run('the target', (port) => [local('http/lean-target.mjs'), `${port}`]);
const url = `http://127.0.0.1:${target.port}/mcp`;
const names = ['direct', ...PEERS, ...OURS];
const speeds = { many: new Map(), one: new Map() };
const collect = (all, some) => {
  for (const [name, turns] of some) all.set(name, [...(all.get(name) ?? []), ...turns]);
};
for (let round = 0; round < ROUNDS; round++) {
  const contenders = [];
  for (const name of names) {
    contenders.push(await contender(name, name === 'direct' ? target : await startHost(name, url)));
  }
  collect(speeds.many, await takeTurns(contenders, 16, PACE));
  collect(speeds.one, await takeTurns(contenders, 1, { ...PACE, warmUpMs: 200 }));
  for (const { name, stop, release } of contenders) await (name === 'direct' ? release() : stop());
}
const many = medians(speeds.many);
const one = medians(speeds.one);

const of = (speeds, name, key) => speeds.get(name)[key];
const share = (name, base) => (of(many, name, 'perSecond') / of(many, base, 'perSecond')).toFixed(2);
const times = (name) => (of(one, name, 'p50') / of(one, 'direct', 'p50')).toFixed(2);
const cpu = (name) => Math.round(of(many, name, 'cpu'));
print([
  [
    '',
    'calls/s, 16 in flight',
    'share of direct',
    'times http-proxy-middleware',
    'p50 ms, 1 in flight',
    'times direct',
    'CPU µs/call, 16',
  ],
  ...names.map((name) => [
    name,
    Math.round(of(many, name, 'perSecond')),
    share(name, 'direct'),
    share(name, 'http-proxy-middleware'),
    of(one, name, 'p50').toFixed(2),
    times(name),
    cpu(name),
  ]),
]);

const memory = new Map();
for (const name of [...PEERS, ...OURS]) memory.set(name, await memoryPerStream(name, url));
print([
  [`${STREAMS} open event streams`, 'KiB a stream', 'times undici'],
  ...[...memory].map(([name, kib]) => [name, kib.toFixed(1), (kib / memory.get('undici')).toFixed(2)]),
]);
await target.stop();

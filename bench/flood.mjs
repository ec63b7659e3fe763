import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median } from './median.mjs';
import { LeanClient } from './stdio/lean-client.mjs';

/** Forged tokens that all differ, a second. */
const FORGERIES_PER_SECOND = 4_000;
/** Their connections. On each, the next token is sent when the last one is answered. */
const FORGERS = Number(process.env.FORGERS ?? 256);
const CONNECTIONS = 8;

const bearer = (token) => `authorization: Bearer ${token}\r\n`;

/** Sends with a known token, from another process than the forger, so that its latency is the server's. */
async function measureKnown(port, token, body, seconds) {
  const times = [];
  const start = performance.now();
  const end = start + 1_000 * seconds;
  const callers = Array.from({ length: CONNECTIONS }, async () => {
    const client = new LeanClient(port, bearer(token));
    for (let then = performance.now(); then < end; ) {
      const answer = await client.post(body);
      if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`the known token was refused: ${answer.slice(0, 200)}`);
      const now = performance.now();
      times.push(now - then);
      then = now;
    }
    client.close();
  });
  await Promise.all(callers);
  times.sort((a, b) => a - b);
  const perSecond = (1_000 * times.length) / (performance.now() - start);
  return { perSecond, p99: times[Math.ceil(times.length * 0.99) - 1] };
}

async function startForger(port, body, token) {
  const child = fork(fileURLToPath(import.meta.url), ['forge', `${port}`, body, token]);
  await once(child, 'message');
  return async () => {
    const sent = once(child, 'message');
    child.send('stop');
    const [statuses] = await sent;
    child.disconnect();
    return statuses;
  };
}

/** Compares the throughput of a client with a known token with and without the flood, in the same process and minute. */
export async function measureFlood({ name, start, token, body, forgedToken, rounds, seconds }) {
  const shares = [];
  const p99s = [];
  let answers = '';
  for (let round = 0; round < rounds; round += 1) {
    const server = await start();
    const { port } = new URL(server.url);
    await measureKnown(port, token, body, 5);
    const before = await measureKnown(port, token, body, seconds);
    const stop = await startForger(port, body, forgedToken);
    const during = await measureKnown(port, token, body, seconds);
    answers = JSON.stringify(await stop());
    server.stop();
    shares.push(during.perSecond / before.perSecond);
    p99s.push(during.p99);
  }
  console.log(`| ${name} | ${median(shares).toFixed(2)} | ${median(p99s).toFixed(1)} ms | ${answers} |`);
}

/** Alters the signature of a token, so that no two are the same. */
function* forgeries(token) {
  const end = token.length - 12;
  // Another forger of the same server sends others.
  for (let i = Math.floor(Math.random() * 36 ** 7); ; i += 1)
    yield `${token.slice(0, end)}${i.toString(36).padStart(8, 'A')}${token.slice(end + 8)}`;
}

/** Sends at a steady rate, as long as the server answers in time. Its parent's message ends it. */
async function forge([port, body, token]) {
  const tokens = forgeries(token);
  const idle = Array.from({ length: FORGERS }, () => new LeanClient(Number(port)));
  const counts = {};
  const start = performance.now();
  let sent = 0;
  const send = async (client) => {
    sent += 1;
    client.headers = bearer(tokens.next().value);
    const status = (await client.post(body)).slice(9, 12);
    counts[status] = (counts[status] ?? 0) + 1;
    idle.push(client);
  };
  setInterval(() => {
    const due = (FORGERIES_PER_SECOND * (performance.now() - start)) / 1_000;
    while (sent < due && idle.length > 0) void send(idle.pop());
    // It does not send later what it could not send in time.
    sent = Math.max(sent, Math.floor(due) - FORGERS);
  }, 2);
  process.once('message', () => {
    const seconds = (performance.now() - start) / 1_000;
    process.send(
      Object.fromEntries(Object.entries(counts).map(([status, count]) => [status, Math.round(count / seconds)])),
      () => process.exit(),
    );
  });
  process.once('disconnect', () => process.exit());
  process.send('ready');
}

if (process.argv[2] === 'forge') await forge(process.argv.slice(3));

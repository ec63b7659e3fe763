import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { median } from './median.mjs';

/** Forged tokens that all differ, a second. */
const FORGERIES_PER_SECOND = 4_000;
const CONNECTIONS = 8;

/** Sends with a known token, from a process of its own, so that its latency is the server's and not the forger's. */
async function measureKnown(url, headers, body, seconds) {
  const result = await autocannon({ url, method: 'POST', headers, body, connections: CONNECTIONS, duration: seconds });
  return { perSecond: result['2xx'] / result.duration, p99: result.latency.p99, refused: result.non2xx };
}

async function startForger(url, body, claims) {
  const child = fork(fileURLToPath(import.meta.url), ['forge', url, body, claims, `${FORGERIES_PER_SECOND}`]);
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
export async function measureFlood({ name, start, headers, body, forgedToken, rounds, seconds }) {
  const shares = [];
  const p99s = [];
  let answers = '';
  for (let round = 0; round < rounds; round += 1) {
    const server = await start();
    await measureKnown(server.url, headers, body, 3);
    const before = await measureKnown(server.url, headers, body, seconds);
    const stop = await startForger(server.url, body, forgedToken);
    const during = await measureKnown(server.url, headers, body, seconds);
    answers = JSON.stringify(await stop());
    server.stop();
    shares.push(during.perSecond / before.perSecond);
    p99s.push(during.p99);
  }
  console.log(`| ${name} | ${median(shares).toFixed(2)} | ${median(p99s)} ms | ${answers} |`);
}

/** Alters the signature of a token, so that no two are the same. */
function* forgeries(token) {
  const end = token.length - 12;
  for (let i = 0; ; i += 1) yield `${token.slice(0, end)}${i.toString(36).padStart(8, 'A')}${token.slice(end + 8)}`;
}

/** Sends at a steady rate, from a separate process. Its parent's message ends it. */
async function forge([url, body, token, perSecond]) {
  const tokens = forgeries(token);
  const next = () => ({ authorization: `Bearer ${tokens.next().value}`, 'content-type': 'application/json' });
  const requests = [{ method: 'POST', body, setupRequest: (request) => ({ ...request, headers: next() }) }];
  const cannon = autocannon({ url, connections: 256, duration: 600, overallRate: Number(perSecond), requests });
  process.once('message', () => cannon.stop());
  process.send('ready');
  const { duration, statusCodeStats } = await cannon;
  const perStatus = Object.entries(statusCodeStats).map(([status, { count }]) => [
    status,
    Math.round(count / duration),
  ]);
  process.send(Object.fromEntries(perStatus));
}

if (process.argv[2] === 'forge') await forge(process.argv.slice(3));

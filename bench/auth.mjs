import { fork } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { AUDIENCE, ISSUER, VARIANTS } from './auth-variants.mjs';
import { measureFlood } from './flood.mjs';
import { load } from './load.mjs';
import { median } from './median.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const SECONDS = Number(process.env.SECONDS ?? 2);
/** V8 goes on optimizing for the first 20,000 requests or so, and a route with more code in it for longer. */
const WARM_UP_SECONDS = 3;
const CALL = JSON.stringify({
  ...{ jsonrpc: '2.0', id: 7, method: 'tools/call' },
  params: { name: 'echo', arguments: { message: 'hello' } },
});
/** The body to send: an MCP call in JSON, which the route parses, or (ROUTE=bare) none, with GET. */
const BODY = process.env.ROUTE === 'bare' ? undefined : CALL;
const SERVER = fileURLToPath(new URL('auth-server.mjs', import.meta.url));

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const forger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' };

function token(subject, key = privateKey) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: subject,
    client_id: 'bench',
    scope: 'read',
    iat: now,
    exp: now + 7200,
  };
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const input = `${encode({ alg: 'ES256', kid: 'k', typ: 'JWT' })}.${encode(claims)}`;
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const typed = (headers) => (BODY === undefined ? headers : { ...headers, 'content-type': 'application/json' });
const bearer = (text) => typed({ authorization: `Bearer ${text}` });
const many = (count, key) => Array.from({ length: count }, (_, i) => bearer(token(`user-${i}`, key)));
const SERIES = {
  'one token': [bearer(token('alice'))],
  '1,000 tokens in rotation': many(1000),
  'every token forged': many(1000, forger),
  'no token': [typed({})],
};

async function start(name, jwksUrl, flags = []) {
  const child = fork(SERVER, [name, jwksUrl], { execArgv: flags, env: { ...process.env, NODE_ENV: 'production' } });
  const [{ port }] = await once(child, 'message');
  const usage = async () => {
    child.send('usage');
    return (await once(child, 'message'))[0];
  };
  return { url: `http://127.0.0.1:${port}/mcp`, usage, stop: () => child.disconnect() };
}

async function measure(server, headers) {
  const before = await server.usage();
  const { answered, perSecond, statuses } = await load(server.url, headers, SECONDS, BODY);
  const after = await server.usage();
  return { perSecond, cpu: (after.cpuMicroseconds - before.cpuMicroseconds) / answered, statuses };
}

function print(title, results) {
  const base = results['no auth'];
  console.log(
    `\n${title}\n| variant | share of the throughput without auth | CPU per request | more than without auth | answers |`,
  );
  console.log('|---|---|---|---|---|');
  for (const [name, rounds] of Object.entries(results)) {
    // Each round is compared with the unprotected route of the same round: the machine's load is the same for both.
    const share = median(rounds.map(({ perSecond }, i) => perSecond / base[i].perSecond));
    const more = median(rounds.map(({ cpu }, i) => cpu - base[i].cpu));
    const cpu = median(rounds.map((round) => round.cpu));
    const answers = Object.keys(rounds[0].statuses).join(', ');
    console.log(`| ${name} | ${share.toFixed(2)} | ${cpu.toFixed(0)} µs | ${more.toFixed(1)} µs | ${answers} |`);
  }
}

async function send(url, headers) {
  const response = await fetch(url, BODY === undefined ? { headers } : { method: 'POST', headers, body: BODY });
  await response.text();
}

/** Measures a round in new processes, because some processes are faster than others for as long as they live. */
async function measureRound(names, jwksUrl, headers) {
  const servers = [];
  for (const name of names) servers.push(await start(name, jwksUrl));
  for (const server of servers) {
    // A variant that caches tokens has seen all of them before it is measured.
    for (const header of headers) await send(server.url, header);
    await load(server.url, headers, WARM_UP_SECONDS, BODY);
  }
  const measured = [];
  for (const server of servers) measured.push(await measure(server, headers));
  for (const server of servers) server.stop();
  return measured;
}

async function measureSeries(title, headers, names, jwksUrl) {
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    // Every second round is in reverse order, so that no variant is always the first.
    const order = round % 2 === 0 ? names : names.toReversed();
    const measured = await measureRound(order, jwksUrl, headers);
    for (const [i, name] of order.entries()) results[name].push(measured[i]);
  }
  print(`### ${title}`, results);
}

/** Measures the growth of the heap after very many tokens, each seen once: a store without limits shows here. */
async function measureHeap(jwksUrl, count = 100_000) {
  const server = await start('express-mcp-auth', jwksUrl, ['--expose-gc']);
  const before = await server.usage();
  for (let i = 0; i < count; i += 1000) {
    await Promise.all(many(1000).map((headers) => send(server.url, headers)));
  }
  const after = await server.usage();
  server.stop();
  console.log(
    `\nHeap after ${count.toLocaleString('en')} different tokens: ${((after.heapBytes - before.heapBytes) / 2 ** 20).toFixed(1)} MiB more`,
  );
}

const FLOOD = 'forged tokens that all differ';
const LIMITED = 'express-mcp-auth, 500 failures a second';

/** A client with a known token, while others send 4,000 forged tokens a second. */
async function measureFloods(jwksUrl) {
  console.log(`\n### a known token, during 4,000 ${FLOOD} a second`);
  console.log(
    '| variant | share of the throughput without the flood | p99 | answers to the flood, a second |\n|---|---|---|---|',
  );
  const [headers] = SERIES['one token'];
  const forgedToken = token('mallory', forger);
  for (const name of ['express-mcp-auth', LIMITED]) {
    const shared = { headers, body: CALL, forgedToken, rounds: ROUNDS, seconds: SECONDS };
    await measureFlood({ name, start: () => start(name, jwksUrl), ...shared });
  }
}

const keyServer = createServer((_req, res) =>
  res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] })),
);
await once(keyServer.listen(0, '127.0.0.1'), 'listening');
const jwksUrl = `http://127.0.0.1:${keyServer.address().port}/jwks.json`;
const names =
  process.argv.length > 2
    ? ['no auth', ...process.argv.slice(2)]
    : Object.keys(VARIANTS).filter((name) => name !== LIMITED);

for (const [title, headers] of Object.entries(SERIES).filter(
  ([t]) => !process.env.ONLY || t.includes(process.env.ONLY),
)) {
  await measureSeries(title, headers, names, jwksUrl);
}
if (!process.env.ONLY || FLOOD.includes(process.env.ONLY)) await measureFloods(jwksUrl);
if (!process.env.ONLY) await measureHeap(jwksUrl);
keyServer.close();

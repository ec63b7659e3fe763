import { fork } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import {
  API_KEY,
  AUDIENCE,
  EARLIER,
  EARLIER_VARIANTS,
  EVERY_CREDENTIAL,
  ISSUER,
  ISSUING,
  ISSUING_UNKNOWN,
  JWT_UNKNOWN,
  OPAQUE_TOKEN,
  VARIANTS,
} from './auth-variants.mjs';
import { measureFlood } from './flood.mjs';
import { createIssuer } from './issued-tokens.mjs';
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

function claimsOf(subject) {
  const now = Math.floor(Date.now() / 1000);
  return { iss: ISSUER, aud: AUDIENCE, sub: subject, client_id: 'bench', scope: 'read', iat: now, exp: now + 7200 };
}

function token(subject, key = privateKey) {
  const claims = claimsOf(subject);
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

const issue = await createIssuer();

/** Each is sent to a server that accepts all of them, except the issued token, whose server accepts no other. */
const KNOWN = {
  'a JWT': [bearer(token('alice'))],
  'an API key': [bearer(API_KEY)],
  'an API key in x-api-key': [typed({ 'x-api-key': API_KEY })],
  'an introspected token': [bearer(OPAQUE_TOKEN)],
  'an issued token': [bearer(issue('alice'))],
};

/** A server that remembers no token verifies each as if it saw it for the first time. Many, since requests with one token share a verification. */
const UNKNOWN = {
  'no auth': { name: 'no auth', headers: SERIES['one token'] },
  'an issued token': {
    name: ISSUING_UNKNOWN,
    headers: Array.from({ length: 1000 }, (_, i) => bearer(issue(`user-${i}`))),
  },
  'a JWT, ES256': { name: JWT_UNKNOWN, headers: SERIES['1,000 tokens in rotation'] },
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

function print(title, results, baseName = 'no auth') {
  const base = results[baseName];
  console.log(
    `\n${title}\n| variant | share of the throughput of "${baseName}" | CPU per request | more than "${baseName}" | answers |`,
  );
  console.log('|---|---|---|---|---|');
  for (const [name, rounds] of Object.entries(results)) {
    // Each round is compared with the base of the same round: the machine's load is the same for both.
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
async function measureRound(variants, jwksUrl) {
  const servers = [];
  for (const { name, headers } of variants) servers.push({ headers, ...(await start(name, jwksUrl)) });
  for (const { url, headers } of servers) {
    // A variant that caches tokens has seen all of them before it is measured.
    for (const header of headers) await send(url, header);
    await load(url, headers, WARM_UP_SECONDS, BODY);
  }
  const measured = [];
  for (const server of servers) measured.push(await measure(server, server.headers));
  for (const server of servers) server.stop();
  return measured;
}

/** @param variants By title: the name of the variant, and the headers to send. */
async function measureSeries(title, variants, jwksUrl, baseName) {
  const titles = Object.keys(variants);
  const results = Object.fromEntries(titles.map((each) => [each, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    // Every second round is in reverse order, so that no variant is always the first.
    const order = round % 2 === 0 ? titles : titles.toReversed();
    const measured = await measureRound(
      order.map((each) => variants[each]),
      jwksUrl,
    );
    for (const [i, each] of order.entries()) results[each].push(measured[i]);
  }
  print(`### ${title}`, results, baseName);
}

const KNOWN_TITLE = 'known credentials';
const UNKNOWN_TITLE = 'unknown credentials';

async function measureKnown(jwksUrl) {
  const serverOf = (title) => (title === 'an issued token' ? ISSUING : EVERY_CREDENTIAL);
  const variants = Object.entries(KNOWN).map(([title, headers]) => [title, { name: serverOf(title), headers }]);
  await measureSeries(KNOWN_TITLE, Object.fromEntries(variants), jwksUrl, 'a JWT');
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
  const forgedToken = token('mallory', forger);
  // The first is a server without mcpAuth(): it shows what HTTP alone costs.
  for (const name of ['no auth', ...EARLIER_VARIANTS, 'express-mcp-auth', LIMITED]) {
    const shared = { token: token('alice'), body: CALL, forgedToken, rounds: ROUNDS, seconds: SECONDS };
    await measureFlood({ name, start: () => start(name, jwksUrl), ...shared });
  }
}

/** The variants that only some series measure. */
const OF_OTHER_SERIES = [EARLIER, LIMITED, EVERY_CREDENTIAL, ISSUING, ISSUING_UNKNOWN, JWT_UNKNOWN];

const keyServer = createServer((req, res) => {
  const answer = req.method === 'POST' ? { active: true, ...claimsOf('alice') } : { keys: [jwk] };
  res.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
});
await once(keyServer.listen(0, '127.0.0.1'), 'listening');
const jwksUrl = `http://127.0.0.1:${keyServer.address().port}/jwks.json`;
const names =
  process.argv.length > 2
    ? ['no auth', ...EARLIER_VARIANTS, ...process.argv.slice(2)]
    : [...EARLIER_VARIANTS, ...Object.keys(VARIANTS).filter((name) => !OF_OTHER_SERIES.includes(name))];

for (const [title, headers] of Object.entries(SERIES).filter(
  ([t]) => !process.env.ONLY || t.includes(process.env.ONLY),
)) {
  await measureSeries(title, Object.fromEntries(names.map((name) => [name, { name, headers }])), jwksUrl);
}
if (!process.env.ONLY || KNOWN_TITLE.includes(process.env.ONLY)) await measureKnown(jwksUrl);
if (!process.env.ONLY || UNKNOWN_TITLE.includes(process.env.ONLY)) {
  await measureSeries(UNKNOWN_TITLE, UNKNOWN, jwksUrl);
}
if (!process.env.ONLY || FLOOD.includes(process.env.ONLY)) await measureFloods(jwksUrl);
if (!process.env.ONLY) await measureHeap(jwksUrl);
keyServer.close();

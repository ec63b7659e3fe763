import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { mcpAuth, mcpAuthorization, mcpLimits, mcpScopes } from '../dist/index.js';
import { createTestIssuer } from '../dist/testing/index.js';
import { load } from './load.mjs';
import { median } from './median.mjs';

// Measures what mcpScopes(), mcpAuthorization(), and mcpLimits() after mcpScopes(), add to a call of 2 KiB, in CPU time of the server's process. Both servers verify the token and read
// the body; one of them checks scopes first. They take turns, so that other load on the machine affects both alike.
const QUICK = process.argv.includes('--quick');
// Counted in requests and not in seconds: on a busy machine, seconds would measure code that is not compiled yet, or no requests at all.
const [WARM_UP, CALLS] = QUICK ? [6_000, 3_000] : [20_000, 20_000];
const ROUNDS = QUICK ? 3 : 7;
// The call of an agent that writes a file: some options, and text.
const LINE = '- call back "Ada" about the budget, before noon\n';
const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: 'report_daily',
    arguments: { path: 'notes/today.md', append: true, tags: ['work', 'calls'], text: LINE.repeat(36) },
    _meta: { progressToken: 1 },
  },
}).padEnd(2048);
const RULES = {
  'tools/call': { '*': ['mcp:call'], delete_file: ['files:write'], 'report_*': ['reports:read'] },
  'resources/read': { 'file:///secret/*': ['files:secret'] },
};
const readAsSent = (req, res) => {
  let bytes = 0;
  req.on('data', (chunk) => {
    bytes += chunk.length;
  });
  req.on('end', () => res.end(String(bytes)));
};
const takeBody = (req, res) => {
  res.end(req.body?.method);
};
const scopes = mcpScopes(RULES, { implies: { admin: ['mcp:call'] } });
const limits = mcpLimits([
  { per: 'user', tokens: 1e9, refill: 1e9, every: '1s' },
  { per: 'tool', tokens: 1e9, refill: 1e9, every: '1s' },
]);
/** Ten expressions, each of which is evaluated: none before the last decides. */
const EXPRESSIONS = [
  { deny: 'mcp.tool.name == "delete_file"' },
  { deny: 'mcp.tool.arguments.path.startsWith("/etc/")' },
  { deny: 'mcp.tool.name.matches("^admin_[a-z]+$")' },
  { deny: 'size(mcp.tool.arguments.text) > 10000' },
  { deny: 'mcp.tool.arguments.tags.exists(tag, tag == "secret")' },
  { deny: 'default(request.headers["x-internal"], "") == "no"' },
  { require: 'has(jwt.sub) && jwt.sub != "eve"' },
  { require: '"reports:read" in jwt.scope.split(" ")' },
  'mcp.tool.name == "echo"',
  'mcp.tool.name.startsWith("report_")',
];
/** Each comparison is of two servers that differ only in mcpScopes(). */
const SERVERS = {
  'a server that reads the request itself': [readAsSent],
  'the same behind mcpScopes()': [scopes, readAsSent],
  'express.json(), and a server that takes req.body': [express.json(), takeBody],
  'mcpScopes(), and a server that takes req.body': [scopes, takeBody],
  'mcpScopes() with a rule for another method': [mcpScopes({ ping: ['mcp:call'] }), readAsSent],
  'mcpAuthorization() with ten expressions': [mcpAuthorization({ rules: EXPRESSIONS }), readAsSent],
  'mcpScopes() alone': [scopes, readAsSent],
  'mcpScopes() and mcpLimits()': [scopes, limits, readAsSent],
};
async function serve(name) {
  const issuer = createTestIssuer();
  const app = express().use(mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp' })), ...SERVERS[name]);
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  process.on('message', () => process.send?.(process.cpuUsage()));
  process.send?.({ port, token: issuer.token({ scopes: ['admin', 'reports:read'] }) });
}
async function start(name) {
  const env = { ...process.env, NODE_ENV: 'production' };
  const child = fork(fileURLToPath(import.meta.url), [`--serve=${name}`], { env });
  const [{ port, token }] = await once(child, 'message');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return { child, headers, url: `http://127.0.0.1:${port}/mcp` };
}
/** Microseconds of CPU for one call. */
async function measure(host, amount) {
  const before = await cpuOf(host);
  const { answered, statuses } = await load(host.url, [host.headers], { amount }, CALL);
  if (Object.keys(statuses).join() !== '200') throw new Error(`answered ${Object.keys(statuses)}`);
  return ((await cpuOf(host)) - before) / answered;
}
async function cpuOf({ child }) {
  child.send('cpu');
  const [{ user, system }] = await once(child, 'message');
  return user + system;
}
/** Measures in new processes, because some are faster than others for as long as they live; the first calls are for warming up. */
async function measureAll(names) {
  const hosts = await Promise.all(names.map(start));
  for (const host of hosts) await measure(host, WARM_UP);
  const spent = [];
  for (const host of hosts) spent.push(await measure(host, CALLS));
  for (const { child } of hosts) child.kill();
  return spent;
}
async function compare() {
  const names = Object.keys(SERVERS);
  const rounds = [];
  for (let i = 0; i < ROUNDS; i += 1) rounds.push(await measureAll(names));
  const spent = names.map((_name, i) => median(rounds.map((round) => round[i])));
  console.log(`A call of ${CALL.length} bytes: µs of CPU in the server, medians of ${ROUNDS} rounds`);
  for (const [i, name] of names.entries()) console.log(`  ${spent[i].toFixed(1).padStart(6)}  ${name}`);
  const added = (i) => median(rounds.map((round) => round[i + 1] - round[i])).toFixed(1);
  console.log(`mcpScopes() adds ${added(0)}; instead of express.json(), ${added(2)}`);
  console.log(`Ten expressions add ${added(4)} to mcpScopes(), two limits add ${added(6)}`);
}
async function main() {
  const served = process.argv.find((argument) => argument.startsWith('--serve='));
  if (served === undefined) await compare();
  else await serve(served.slice('--serve='.length));
}
void main();

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { mcpAuth, mcpAuthorization, mcpLimits, mcpScopes } from '../dist/index.js';
import { createTestIssuer } from '../dist/testing/index.js';
import { load } from './load.mjs';
import { median } from './median.mjs';

// Measures what mcpScopes(), mcpAuthorization() and mcpLimits() add to a call of 2 KiB, in CPU time of the server's process.
const QUICK = process.argv.includes('--quick');
// Counted in requests and not in seconds: on a busy machine, seconds would measure code that is not compiled yet, or no requests at all.
const TURN = 1_000;
const [WARM_UP, CALLS] = QUICK ? [6_000, 10_000] : [20_000, 40_000];
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
/** Each comparison is of two routes of one process, which differ only in one middleware: two processes differ by more than that. */
const COMPARISONS = {
  'mcpScopes() adds': [[readAsSent], [scopes, readAsSent]],
  'instead of express.json(), mcpScopes() adds': [
    [express.json(), takeBody],
    [scopes, takeBody],
  ],
  'ten expressions add to mcpScopes() with a rule for another method': [
    [mcpScopes({ ping: ['mcp:call'] }), readAsSent],
    [mcpAuthorization({ rules: EXPRESSIONS }), readAsSent],
  ],
  'two limits add to mcpScopes()': [
    [scopes, readAsSent],
    [scopes, limits, readAsSent],
  ],
  'the same again adds (control)': [
    [scopes, readAsSent],
    [scopes, readAsSent],
  ],
};
async function serve(name) {
  const issuer = createTestIssuer();
  const auth = mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp' }));
  const app = express();
  for (const [i, steps] of COMPARISONS[name].entries()) app.use(`/${i}`, auth, ...steps);
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
  return { child, headers, origin: `http://127.0.0.1:${port}` };
}
/** Microseconds of CPU for one call at a route. */
async function measure(host, route, amount) {
  const before = await cpuOf(host);
  const { answered, statuses } = await load(`${host.origin}/${route}`, [host.headers], { amount }, CALL);
  if (Object.keys(statuses).join() !== '200') throw new Error(`answered ${Object.keys(statuses)}`);
  return ((await cpuOf(host)) - before) / answered;
}
async function cpuOf({ child }) {
  child.send('cpu');
  const [{ user, system }] = await once(child, 'message');
  return user + system;
}
/** The first calls are for warming up. Then the routes take turns, so that other load on the machine affects both alike. */
async function compare(name) {
  const host = await start(name);
  for (let i = 0; i < WARM_UP; i += TURN) for (const route of [0, 1]) await measure(host, route, TURN);
  const turns = [];
  for (let i = 0; i < CALLS; i += TURN) {
    const spent = [];
    for (const route of i % (2 * TURN) === 0 ? [0, 1] : [1, 0]) spent[route] = await measure(host, route, TURN);
    turns.push(spent);
  }
  host.child.kill();
  const [one, other] = [0, 1].map((route) => median(turns.map((spent) => spent[route])));
  const added = median(turns.map((spent) => spent[1] - spent[0]));
  console.log(`${added.toFixed(1).padStart(6)} µs  ${name} (${one.toFixed(1)} and ${other.toFixed(1)})`);
}
async function main() {
  const served = process.argv.find((argument) => argument.startsWith('--serve='));
  if (served !== undefined) {
    await serve(served.slice('--serve='.length));
    return;
  }
  console.log(
    `A call of ${CALL.length} bytes: µs of CPU in the server, medians of ${CALLS / TURN} turns of ${TURN} calls`,
  );
  for (const name of Object.keys(COMPARISONS)) await compare(name);
}
void main();

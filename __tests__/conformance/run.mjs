// Runs the official conformance suite against the built bridges, behind mcpAuth() in optional mode: against a server that speaks stdio,
// and against one that speaks HTTP, whose results must be those that it has without us.
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { mcpAuth, mcpBackend, mcpHttpBackend, mcpStdioBackend } from '../../dist/index.js';

const REVISIONS = ['2025-11-25', '2026-07-28'];
const local = (path) => fileURLToPath(new URL(path, import.meta.url));
const fixture = local('../fixtures/conformance-server.mjs');
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });

/** Serves a backend. Resolves to its URL and the function that ends it. */
async function serve(backend) {
  const app = express();
  app.use(
    mcpAuth({
      mode: 'optional',
      issuer: 'https://issuer.example',
      audiences: ['conformance'],
      jwks: { keys: [{ ...key, alg: 'ES256', kid: 'conformance' }] },
    }),
  );
  app.use('/mcp', backend);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    await backend.close();
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://localhost:${server.address().port}/mcp`, close };
}

/** Runs the scenarios that one revision requires. Resolves to the report of the suite. */
async function suite(url, revision) {
  const node = local('node_modules/node/bin/node');
  const cli = local('node_modules/@modelcontextprotocol/conformance/dist/index.js');
  const args = [cli, 'server', '--url', url, '--requirements', revision];
  const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  return { code, output, scenarios: scenariosIn(output) };
}

/** The scenarios, each with its checks. Some are not scored: they are newer than the revision, or about extensions. */
function scenariosIn(output) {
  const [all = '', unscored = ''] = output.slice(output.indexOf('=== SUMMARY ===')).split('Not scored for');
  const ignored = new Set([...unscored.matchAll(/[✓✗] (\S+) \(/g)].map(([, name]) => name));
  const lines = [...all.matchAll(/[✓✗] (\S+): (\d+) passed, (\d+) failed/g)];
  return lines.map(([, name, passed, failed]) => ({ name, passed, failed, isScored: !ignored.has(name) }));
}

function summaryOf(scenarios) {
  const scored = scenarios.filter(({ isScored }) => isScored);
  const sum = (member) => scored.reduce((total, scenario) => total + Number(scenario[member]), 0);
  return `${scored.length} scored scenarios, ${sum('passed')} checks passed, ${sum('failed')} failed`;
}

/** Serves a backend and runs both suites, which must pass. */
async function mustPass(name, backend) {
  const served = await serve(backend);
  for (const revision of REVISIONS) {
    const { code, output, scenarios } = await suite(served.url, revision);
    console.log(`conformance ${revision}, ${name}: ${summaryOf(scenarios)}`);
    if (code === 0) continue;
    console.log(output);
    process.exitCode = 1;
  }
  await served.close();
}

// The suite's client has no token, and subscribes and changes in requests of their own.
const anonymousRequests = 'shared';
const program = { command: process.execPath, args: [fixture] };
await mustPass('stdio', mcpStdioBackend({ ...program, anonymousRequests }));
await mustPass('one program among targets', mcpBackend({ targets: { one: program }, anonymousRequests }));
// With pins, messages pass the code that joins targets; without prefixes and with a target that has no resources, names are unchanged.
await mustPass('one program, joined', mcpBackend({ targets: { one: program }, pin: true, anonymousRequests }));
const other = {
  command: process.execPath,
  args: [local('../fixtures/plain-target.mjs')],
  env: { PREFIX: 'other_', WITHOUT: 'resources,prompts,tasks' },
};
const joined = mcpBackend({ targets: { one: program, other }, prefixMode: 'never', anonymousRequests });
await mustPass('two programs without prefixes', joined);

const target = spawn(process.execPath, [fixture, '--http'], { stdio: ['ignore', 'pipe', 'inherit'] });
const [line] = await once(target.stdout.setEncoding('utf8'), 'data');
const direct = line.trim();
const remote = await serve(mcpHttpBackend({ url: direct }));
for (const revision of REVISIONS) {
  const alone = await suite(direct, revision);
  const through = await suite(remote.url, revision);
  console.log(`The remote server itself, ${revision}: ${summaryOf(alone.scenarios)}`);
  console.log(`conformance ${revision}, remote: ${summaryOf(through.scenarios)}`);
  if (through.code === 0 && JSON.stringify(alone.scenarios) === JSON.stringify(through.scenarios)) continue;
  console.log(alone.output, through.output);
  process.exitCode = 1;
}
await remote.close();
// The bridge answers with JSON if there is nothing but the answer, so that fewer checks about streams apply.
await mustPass('one remote server among targets', mcpBackend({ targets: { one: { url: direct } }, anonymousRequests }));
target.kill();

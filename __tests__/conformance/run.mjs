// Runs the official conformance suite against the built bridge, behind mcpAuth() in optional mode, in front of a stdio server.
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { mcpAuth, mcpStdioBackend } from '../../dist/index.js';

const local = (path) => fileURLToPath(new URL(path, import.meta.url));
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });

// The suite's client has no token, and expects that a change by one request is seen by a subscription of another.
const backend = mcpStdioBackend({
  command: process.execPath,
  args: [local('../fixtures/conformance-server.mjs')],
  anonymousRequests: 'shared',
});
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
const server = createServer(app).listen(0, '127.0.0.1', async () => {
  const url = `http://localhost:${server.address().port}/mcp`;
  let failed = false;
  for (const revision of ['2025-11-25', '2026-07-28']) failed = (await suite(url, revision)) || failed;
  await backend.close();
  server.closeAllConnections();
  server.close();
  process.exitCode = failed ? 1 : 0;
});

/** Runs the scenarios that one revision requires; true if one that is scored failed. */
function suite(url, revision) {
  const node = local('node_modules/node/bin/node');
  const cli = local('node_modules/@modelcontextprotocol/conformance/dist/index.js');
  const child = spawn(node, [cli, 'server', '--url', url, '--requirements', revision], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  return new Promise((resolve) => {
    child.once('close', (code) => {
      console.log(report(output, revision));
      if (code !== 0) console.log(output);
      resolve(code !== 0);
    });
  });
}

function report(output, revision) {
  const [scored = '', unscored = ''] = output.slice(output.indexOf('=== SUMMARY ===')).split('Not scored for');
  const ignored = new Set([...unscored.matchAll(/[✓✗] (\S+) \(/g)].map(([, name]) => name));
  const sums = { passed: 0, failed: 0, scenarios: 0 };
  for (const [, name, passed, failures] of scored.matchAll(/[✓✗] (\S+): (\d+) passed, (\d+) failed/g)) {
    if (ignored.has(name)) continue;
    sums.scenarios++;
    sums.passed += Number(passed);
    sums.failed += Number(failures);
  }
  const { passed, failed, scenarios } = sums;
  return `conformance ${revision}: ${scenarios} scored scenarios, ${passed} checks passed, ${failed} failed`;
}

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { mcpCalls, mcpHttpBackend, mcpScopes, mcpStdioBackend } from '../dist/index.js';
import { compareRoutes } from './compare-routes.mjs';

// Measures what records of calls and OpenTelemetry add to a call, in CPU time of the server's process.
const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'echo', arguments: { text: 'call back "Ada" about the budget, before noon' } },
});
const ANSWER = `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"${'x'.repeat(1_000)}"}]}}`;
const answer = (req, res) => {
  req.resume().on('end', () => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length }).end(ANSWER);
  });
};
const onCall = () => undefined;

/** A minimal remote server in a process of its own. */
async function startTarget() {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address();
  await new Promise((resolve) => free.close(resolve));
  const child = fork(fileURLToPath(new URL('./http/lean-target.mjs', import.meta.url)), [String(port)]);
  process.once('exit', () => child.kill());
  const url = `http://127.0.0.1:${port}/mcp`;
  for (;;) {
    if (await fetch(url, { method: 'DELETE' }).catch(() => undefined)) return url;
  }
}

async function remote(create = mcpHttpBackend, options = {}) {
  return create({ url: await startTarget(), maxPendingRequests: 2_000, ...options });
}

function stdio(create = mcpStdioBackend, options = {}) {
  const args = [fileURLToPath(new URL('./stdio/lean-server.mjs', import.meta.url))];
  return create({ command: process.execPath, args, sessions: false, maxPendingRequests: 2_000, ...options });
}

/** OpenTelemetry's own SDK, which keeps the spans in memory. */
async function createTelemetry() {
  const { startTelemetry } = await import('../dist/telemetry/opentelemetry/index.js');
  const { BatchSpanProcessor, InMemorySpanExporter, TracerProvider } = await import('@opentelemetry/sdk-trace');
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] });
  let telemetry;
  return (route) => {
    telemetry?.stop();
    telemetry = route === 1 ? startTelemetry({ tracerProvider }) : undefined;
    exporter.reset();
  };
}

/** The build of an earlier revision, to compare with: the path of its `dist`. */
const { BEFORE } = process.env;
const before = BEFORE && (await import(pathToFileURL(`${BEFORE}/index.js`).href));

const COMPARISONS = {
  'a remote server again (control)': async () => ({ routes: [[await remote()], [await remote()]] }),
  ...(before && {
    'a remote server with nothing that listens, compared with BEFORE': async () => ({
      routes: [[await remote(before.mcpHttpBackend)], [await remote()]],
    }),
  }),
  'a remote server with onCall': async () => ({
    routes: [[await remote()], [await remote(mcpHttpBackend, { onCall })]],
  }),
  'a remote server with OpenTelemetry': async () => ({
    routes: [[await remote()], [await remote()]],
    enter: await createTelemetry(),
  }),
  'a stdio server again (control)': () => ({ routes: [[stdio()], [stdio()]] }),
  ...(before && {
    'a stdio server with nothing that listens, compared with BEFORE': () => ({
      routes: [[stdio(before.mcpStdioBackend)], [stdio()]],
    }),
  }),
  'a stdio server with onCall': () => ({ routes: [[stdio()], [stdio(mcpStdioBackend, { onCall })]] }),
  'a stdio server with OpenTelemetry': async () => ({ routes: [[stdio()], [stdio()]], enter: await createTelemetry() }),
  'a server in the same app again (control)': () => ({ routes: [[answer], [answer]] }),
  'mcpCalls() with nothing that listens': () => ({ routes: [[answer], [mcpCalls({}), answer]] }),
  'mcpCalls() with onCall, compared with mcpScopes()': () => ({
    routes: [
      [mcpScopes({ ping: ['mcp:call'] }), answer],
      [mcpCalls({ onCall }), answer],
    ],
  }),
};

void compareRoutes(fileURLToPath(import.meta.url), CALL, COMPARISONS);

import express from 'express';
import { VARIANTS } from './auth-variants.mjs';

// Serves two protected routes in a separate process. Its parent asks for the CPU time and the heap that it has used.
const [name, jwksUrl] = process.argv.slice(2);
const app = express();
app.disable('x-powered-by');
app.use(await VARIANTS[name](jwksUrl));
// The route that an MCP client calls, and a route that does as little as possible.
app.post('/mcp', express.json(), (req, res) => res.json({ jsonrpc: '2.0', id: req.body.id, result: {} }));
app.get('/mcp', (_req, res) => res.json({ ok: true }));
// The peers leave refusals to the app. It answers with JSON, so that no variant pays for a stack trace in HTML.
app.use((error, _req, res, _next) => res.status(error.status ?? error.statusCode ?? 500).json({ error: error.code }));

const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => {
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  process.send({ cpuMicroseconds: user + system, heapBytes: process.memoryUsage().heapUsed });
});
process.on('disconnect', () => process.exit());

import express from 'express';
import { VARIANTS } from './auth-variants.mjs';

// Two protected routes in a process of their own; its parent asks for the CPU time and the heap it has used.
const [name, jwksUrl] = process.argv.slice(2);
const app = express();
app.disable('x-powered-by');
app.use(await VARIANTS[name](jwksUrl));
// What an MCP client calls, and the least that a route can do.
app.post('/mcp', express.json(), (req, res) => res.json({ jsonrpc: '2.0', id: req.body.id, result: {} }));
app.get('/mcp', (_req, res) => res.json({ ok: true }));
// The peers leave refusals to the app; as JSON, so that nobody pays for a stack trace in HTML.
app.use((error, _req, res, _next) => res.status(error.status ?? error.statusCode ?? 500).json({ error: error.code }));

const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => {
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  process.send({ cpuMicroseconds: user + system, heapBytes: process.memoryUsage().heapUsed });
});
process.on('disconnect', () => process.exit());

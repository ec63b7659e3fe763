import { createServer } from 'node:http';
import { Server as McpServer } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import express from 'express';
import { mcpStdioBackend } from '../../dist/index.js';

// The processes that are measured, each started as `node hosts.mjs NAME PORT COMMAND ARG…`.
const [name = '', port = '', command = '', ...args] = process.argv.slice(2);
const text = 'x'.repeat(1_000);
const backend = (warm = 0) =>
  mcpStdioBackend({ command, args, warmChildren: warm, maxSessions: 1_000, maxPendingRequests: 1_000 });
function onExpress(mount) {
  const app = express();
  mount(app);
  return app;
}
function onNode(warm) {
  const bridge = backend(warm);
  return (req, res) => bridge(req, res, () => res.writeHead(500).end());
}
const hosts = {
  express: () => onExpress((app) => app.use('/mcp', backend())),
  warm: () => onExpress((app) => app.use('/mcp', backend(4))),
  node: () => onNode(0),
  memory: () =>
    onExpress((app) => {
      const answer = JSON.stringify({ content: [{ type: 'text', text }] });
      app.use('/mcp', express.json(), (req, res) => {
        const { id } = req.body;
        res.setHeader('mcp-session-id', 'memory');
        res.type('json').send(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${answer}}`);
      });
    }),
  'in-process': () => onExpress(inProcess),
};
function inProcess(app) {
  const sessions = new Map();
  app.use('/mcp', express.json(), async (req, res) => {
    const known = sessions.get(String(req.headers['mcp-session-id']));
    if (known) return known.handleRequest(req, res, req.body);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      enableJsonResponse: true,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    const server = new McpServer({ name: 'in-process', version: '1' }, { capabilities: { tools: {} } });
    server.setRequestHandler(CallToolRequestSchema, () => ({ content: [{ type: 'text', text }] }));
    await server.connect(transport);
    return transport.handleRequest(req, res, req.body);
  });
}
const listener = hosts[name];
if (listener === undefined) throw new Error(`no host is called "${name}"`);
createServer(listener()).listen(Number(port), '127.0.0.1');
process.once('SIGINT', () => process.exit());

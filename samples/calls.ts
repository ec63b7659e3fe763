import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpServer } from './existing-mcp-server/mcp-server.js';

// The imports of your app, and the records of its calls:

import express from 'express';
import { type CallRecord, type McpAuthOptions, mcpAuth, mcpCalls, protectedResourceMetadata } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';
const app = express();

const resourceMetadata = { resource: `http://localhost:${port}/mcp` };
const policy: McpAuthOptions = { issuer, resourceMetadata, logger: console };
app.use(protectedResourceMetadata(policy));

function onCall({ user, method, name, outcome, code, durationMs }: CallRecord): void {
  console.log(JSON.stringify({ user, method, name, outcome, code, durationMs }));
}
app.use('/mcp', mcpAuth(policy), mcpCalls({ onCall }));

// Your /mcp route goes here.
app.post('/mcp', async (req, res) => {
  const server = createMcpServer();
  const transport = new StreamableHTTPServerTransport();
  res.on('close', () => void server.close());
  await server.connect(transport);
  await transport.handleRequest(req, res);
});

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});

import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpServer } from './mcp-server.js';

// The imports of your app, and mcpAuth():

import express from 'express';
import { type McpAuthOptions, mcpAuth, protectedResourceMetadata } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com'; // your authorization server
const app = express(); // the app you have

const resourceMetadata = { resource: `http://localhost:${port}/mcp` }; // the URL that clients use
const policy: McpAuthOptions = { issuer, resourceMetadata, logger: console };
app.use('/mcp', mcpAuth(policy)); // requests to /mcp need a valid token; other paths stay open
app.use(protectedResourceMetadata(policy)); // tells clients where to log in

// Your /mcp route goes here. A route above these lines stays open.
app.post('/mcp', async (req, res) => {
  const server = createMcpServer();
  const transport = new StreamableHTTPServerTransport();
  res.on('close', () => void server.close());
  await server.connect(transport);
  await transport.handleRequest(req, res);
});

app.get('/health', (_req, res) => {
  res.send('ok');
});

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});

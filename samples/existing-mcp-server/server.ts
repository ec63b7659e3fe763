import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';
import { type AuthInfo, mcpAuth, protectedResourceMetadata } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com'; // your authorization server
const app = express();

const resourceMetadata = { resource: `http://localhost:${port}/mcp` }; // the URL that clients use
const policy = { issuer, resourceMetadata, logger: console };
app.use('/mcp', mcpAuth(policy)); // requests to /mcp need a valid token; other paths stay open
app.use(protectedResourceMetadata(policy)); // tells clients where to log in

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

function createMcpServer(): McpServer {
  const server = new McpServer({ name: 'existing-mcp-server', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Says who is calling' }, ({ authInfo }) => {
    const { subject, clientId, scopes } = authInfo as AuthInfo;
    return { content: [{ type: 'text', text: `${subject}, with ${clientId}, may ${scopes.join(' and ')}` }] };
  });
  return server;
}

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});

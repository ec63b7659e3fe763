import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';
import { type McpAuthOptions, mcpAuth, protectedResourceMetadata } from 'express-mcp-auth';
import { createMcpServer } from './mcp-server.js';

const port = Number(process.env.PORT ?? 3000);
const {
  GITHUB_CLIENT_ID: clientId = '',
  GITHUB_CLIENT_SECRET: clientSecret = '',
  MCP_SECRET: secret = '',
} = process.env;
const app = express();

const policy: McpAuthOptions = {
  provider: { github: { allow: (profile) => profile.login === 'alice', scopes: ['repo'] } },
  clientId,
  clientSecret,
  oauthProxy: { secret },
  resourceMetadata: { resource: `http://localhost:${port}/mcp` }, // the URL that clients use
  logger: console,
};
app.use(protectedResourceMetadata(policy));

app.post('/mcp', mcpAuth(policy), async (req, res) => {
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

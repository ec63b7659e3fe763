import express from 'express';
import { type McpAuthOptions, mcpAuth, mcpCors, mcpStdioBackend, protectedResourceMetadata } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';
const app = express();

const allowedOrigins = ['https://app.example.com'];
app.use(mcpCors({ allowedOrigins, logger: console })); // before mcpAuth(): a preflight request carries no token

const resourceMetadata = { resource: `http://localhost:${port}/mcp` };
const policy: McpAuthOptions = { issuer, resourceMetadata, logger: console };
app.use(protectedResourceMetadata(policy));

const server = { command: 'npx', args: ['@modelcontextprotocol/server-everything'], allowedOrigins, logger: console };
app.use('/mcp', mcpAuth(policy), mcpStdioBackend(server));

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});

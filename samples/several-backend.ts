import express from 'express';
import { type McpAuthOptions, mcpAuth, mcpBackend, protectedResourceMetadata } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';
const folder = process.env.FOLDER ?? '/srv/files';
const url = process.env.MCP_SERVER ?? 'http://localhost:8000/mcp';
const app = express();

const resourceMetadata = { resource: `http://localhost:${port}/mcp` };
const policy: McpAuthOptions = { issuer, resourceMetadata, logger: console };
app.use(protectedResourceMetadata(policy));

const targets = {
  files: { command: 'npx', args: ['@modelcontextprotocol/server-filesystem', folder] },
  memory: { command: 'npx', args: ['@modelcontextprotocol/server-memory'] },
  search: { url },
};
app.use('/mcp', mcpAuth(policy), mcpBackend({ targets, failureMode: 'failOpen', pin: true, logger: console }));

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});

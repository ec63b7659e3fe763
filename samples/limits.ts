import express from 'express';
import { type McpAuthOptions, mcpAuth, mcpLimits, mcpStdioBackend, protectedResourceMetadata } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';
const app = express();

const resourceMetadata = { resource: `http://localhost:${port}/mcp` };
const policy: McpAuthOptions = { issuer, resourceMetadata, logger: console };
app.use(protectedResourceMetadata(policy));

const limits = [
  { per: 'user', tokens: 60, refill: 1, every: '1s' }, // 60 calls at once, then one a second
  { per: 'tool', tokens: 1000, refill: 1000, every: '1m' }, // of each tool, for all users together
] as const;
app.use('/mcp', mcpAuth(policy), mcpLimits(limits, { logger: console }));

const server = { command: 'npx', args: ['@modelcontextprotocol/server-everything'], logger: console };
app.use('/mcp', mcpStdioBackend(server));

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});

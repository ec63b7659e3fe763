import express from 'express';
import {
  type McpAuthOptions,
  mcpAuth,
  mcpAuthorization,
  mcpStdioBackend,
  protectedResourceMetadata,
} from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';
const app = express();

const resourceMetadata = { resource: `http://localhost:${port}/mcp` };
const policy: McpAuthOptions = { issuer, resourceMetadata, logger: console };
app.use(protectedResourceMetadata(policy));

const rules = [
  'mcp.tool.name == "echo"',
  'mcp.tool.name == "get-sum" && mcp.tool.arguments.a < 100',
  { allow: 'mcp.tool.name == "get-env"', scopes: ['env:read'] },
  { deny: 'mcp.tool.name == "echo" && mcp.tool.arguments.message.contains("password")' },
];
app.use('/mcp', mcpAuth(policy), mcpAuthorization({ rules, logger: console }));

const server = { command: 'npx', args: ['@modelcontextprotocol/server-everything'], logger: console };
app.use('/mcp', mcpStdioBackend(server));

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});

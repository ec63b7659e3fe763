import express from 'express';
import { type McpAuthOptions, mcpAuth, mcpStdioBackend, protectedResourceMetadata } from 'express-mcp-auth';
import { mcpAdmin } from 'express-mcp-auth/admin';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';
const app = express();

const resourceMetadata = { resource: `http://localhost:${port}/mcp` };
const policy: McpAuthOptions = { issuer, resourceMetadata, logger: console };
const auth = mcpAuth(policy);
const backend = mcpStdioBackend({ command: 'npx', args: ['@modelcontextprotocol/server-everything'], logger: console });

// 'loopback': for requests from this machine alone. On a server, give a function that knows your operators.
app.use('/admin', mcpAdmin({ authorize: 'loopback', backends: { '/mcp': backend }, auth, logger: console }));
app.use(protectedResourceMetadata(policy));
app.use('/mcp', auth, backend);

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp. The admin page: http://localhost:${port}/admin/`);
});

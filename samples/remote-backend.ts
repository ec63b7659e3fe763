import express from 'express';
import { type McpAuthOptions, mcpAuth, mcpHttpBackend, protectedResourceMetadata } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';
const url = process.env.MCP_SERVER ?? 'http://localhost:8000/mcp'; // the MCP server, such as samples/remote/server.py
const app = express();

const origin = `http://localhost:${port}`;
const policy: McpAuthOptions = { issuer, resourceMetadata: { resource: `${origin}/mcp` }, logger: console };
app.use(protectedResourceMetadata(policy));

const callerToken = { issuer: `${origin}/callers`, key: process.env.CALLER_KEY }; // tells the server who is calling
const backend = mcpHttpBackend({ url, callerToken, logger: console });
app.get('/.well-known/express-mcp-auth/caller-jwks.json', backend.callerKeys); // before mcpAuth(): it needs no token
app.use('/mcp', mcpAuth(policy), backend);

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on ${origin}/mcp`);
});

import express from 'express';
import { mcpAuth, mcpCors, mcpStdioBackend, protectedResourceMetadata } from 'express-mcp-auth';

const policy = {
  issuer: process.env.ISSUER ?? 'https://auth.example.com',
  resourceMetadata: { resource: 'http://localhost:3000/mcp' },
};
const allowedOrigins = ['https://app.example.com'];

const app = express();
app.use(mcpCors({ allowedOrigins })); // before mcpAuth(): a preflight carries no token
app.use(mcpAuth(policy));
app.use(protectedResourceMetadata(policy));
app.use('/mcp', mcpStdioBackend({ command: 'npx', args: ['@modelcontextprotocol/server-everything'], allowedOrigins }));

const listener = app.listen(Number(process.env.PORT ?? 3000), (error) => {
  if (error) throw error;
  console.log('Listening on', listener.address());
});

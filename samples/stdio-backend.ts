import express from 'express';
import { mcpAuth, mcpStdioBackend, protectedResourceMetadata } from 'express-mcp-auth';

const policy = {
  issuer: process.env.ISSUER ?? 'https://auth.example.com',
  resourceMetadata: { resource: 'http://localhost:3000/mcp' },
};

const app = express();
app.use(mcpAuth(policy)); // who may pass
app.use(protectedResourceMetadata(policy)); // how clients find out where to get a token
app.use('/mcp', mcpStdioBackend({ command: 'npx', args: ['@modelcontextprotocol/server-everything'] }));

const listener = app.listen(Number(process.env.PORT ?? 3000), (error) => {
  if (error) throw error;
  console.log('Listening on', listener.address());
});

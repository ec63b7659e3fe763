import express from 'express';
import { mcpAuth, mcpScopes, mcpStdioBackend, protectedResourceMetadata } from 'express-mcp-auth';

const policy = {
  issuer: process.env.ISSUER ?? 'https://auth.example.com',
  resourceMetadata: { resource: 'http://localhost:3000/mcp' },
};

const rules = {
  'tools/call': { '*': ['mcp:call'], delete_file: ['files:write'], 'report_*': ['reports:read'] },
  'resources/read': { 'file:///secret/*': ['files:secret'] },
};

const app = express();
app.use(mcpAuth(policy));
app.use(protectedResourceMetadata(policy));
app.use('/mcp', mcpScopes(rules, { implies: { 'files:admin': ['files:write', 'files:secret'] }, hide: true }));
app.use('/mcp', mcpStdioBackend({ command: 'npx', args: ['@modelcontextprotocol/server-everything'] }));

const listener = app.listen(Number(process.env.PORT ?? 3000), (error) => {
  if (error) throw error;
  console.log('Listening on', listener.address());
});

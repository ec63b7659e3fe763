import express from 'express';
import {
  type AuthInfo,
  getAuth,
  type McpAuthOptions,
  mcpAuth,
  mcpStdioBackend,
  protectedResourceMetadata,
} from 'express-mcp-auth';

const policy: McpAuthOptions = {
  issuer: 'https://issuer.example',
  resourceMetadata: { resource: 'http://localhost/mcp' },
};
const backend = mcpStdioBackend({ command: 'node', args: ['server.js'] });

export const app = express();
app.use(mcpAuth(policy));
app.use(protectedResourceMetadata(policy));
app.use('/mcp', backend);
app.get('/me', (req, res) => {
  const auth: AuthInfo | undefined = getAuth(req);
  res.json(auth?.clientId);
});

// @ts-expect-error an issuer is required
mcpAuth({});

import express from 'express';
import { type McpAuthOptions, mcpAuth, mcpStdioBackend, protectedResourceMetadata } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const {
  GITLAB_CLIENT_ID: clientId = '',
  GITLAB_CLIENT_SECRET: clientSecret = '',
  MCP_SECRET: secret = '',
} = process.env;
const app = express();

const policy: McpAuthOptions = {
  provider: {
    gitlab: {
      url: 'https://gitlab.com', // or your own GitLab
      allow: (profile) => profile.nickname === 'alice', // your own account
    },
  },
  clientId,
  clientSecret,
  oauthProxy: { secret },
  resourceMetadata: { resource: `http://localhost:${port}/mcp` }, // the URL that clients use
  logger: console,
};
app.use(protectedResourceMetadata(policy));

const server = { command: 'npx', args: ['@modelcontextprotocol/server-everything'], logger: console };
app.use('/mcp', mcpAuth(policy), mcpStdioBackend(server));

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});

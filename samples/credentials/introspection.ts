import express from 'express';
import { getAuth, type McpAuthOptions, mcpAuth, protectedResourceMetadata } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';

const policy: McpAuthOptions = {
  issuer,
  introspection: {
    clientId: process.env.CLIENT_ID ?? 'my-mcp-server', // this server, registered at the authorization server
    clientSecret: process.env.CLIENT_SECRET ?? 'its secret',
  },
  resourceMetadata: { resource: `http://localhost:${port}/mcp` },
  logger: console,
};
const app = express();
app.use('/mcp', mcpAuth(policy));
app.use(protectedResourceMetadata(policy));

app.all('/mcp', (req, res) => {
  res.json({ subject: getAuth(req)?.subject, scopes: getAuth(req)?.scopes });
});

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});

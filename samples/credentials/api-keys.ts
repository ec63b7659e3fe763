import express from 'express';
import { getAuth, type McpAuthOptions, mcpAuth, protectedResourceMetadata } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';
const file = process.env.API_KEYS ?? 'api-keys.json'; // a JSON list of the entries that "key create" printed

const policy: McpAuthOptions = {
  issuer, // people log in here, as before
  apiKeys: { file }, // jobs and agents send a key
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

import express from 'express';
import { getAuth, mcpAuth, protectedResourceMetadata } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';
const app = express();

const resourceMetadata = { resource: `http://localhost:${port}/{tenant}/mcp` };
const auth = mcpAuth({ issuer, resourceMetadata, logger: console });
app.use(protectedResourceMetadata(auth));
app.get('/health', async (_req, res) => void res.sendStatus((await auth.ready()) ? 200 : 503));
app.use('/:tenant/mcp', auth, (req, res) => {
  res.json({ tenant: getAuth(req)?.tenant }); // your MCP server
});

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}`);
});

import express from 'express';
import { mcpAuth, mcpStdioBackend, protectedResourceMetadata } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';
const app = express();

const auth = mcpAuth({ issuer, resourceMetadata: { resource: `http://localhost:${port}/mcp` }, logger: console });
const backend = mcpStdioBackend({ command: 'npx', args: ['@modelcontextprotocol/server-everything'], logger: console });
app.use(protectedResourceMetadata(auth));
app.get('/readyz', async (_req, res) => {
  const isReady = (await auth.ready()) && (await backend.ready());
  res.sendStatus(isReady ? 200 : 503);
});
app.use('/mcp', auth, backend);

const listener = app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});

process.once('SIGTERM', async () => {
  await backend.drain(10);
  listener.close();
  await backend.close();
  listener.closeAllConnections();
});

import express from 'express';
import { getAuth, type McpAuthOptions, mcpAuth, mcpLimits, protectedResourceMetadata } from 'express-mcp-auth';
import { createRedisStore } from 'express-mcp-auth/redis';
import { createClient } from 'redis';

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';

const client = createClient({ url: process.env.REDIS_URL ?? 'redis://localhost:6379' });
client.on('error', () => undefined); // without a listener, a lost connection ends the process; the logger below gets a line
await client.connect();
const store = createRedisStore(client);

const app = express();
const resourceMetadata = { resource: `http://localhost:${port}/mcp` };
const policy: McpAuthOptions = { issuer, resourceMetadata, store, logger: console };
const auth = mcpAuth(policy);
app.use(protectedResourceMetadata(policy));

const limits = [{ per: 'user', tokens: 60, refill: 60, every: '1m' }] as const;
app.use('/mcp', auth, mcpLimits(limits, { store, logger: console }));

// Your MCP server goes here. This route logs the caller out everywhere.
app.post('/logout', auth, (req, res) => {
  const subject = getAuth(req)?.subject;
  if (subject !== undefined) auth.revoke({ subject, issuer });
  res.sendStatus(204);
});

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});

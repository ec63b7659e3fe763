import { NodeSDK } from '@opentelemetry/sdk-node';
import express from 'express';
import { type McpAuthOptions, mcpAuth, mcpStdioBackend, protectedResourceMetadata } from 'express-mcp-auth';
import { startTelemetry } from 'express-mcp-auth/telemetry';

// Sends what it gets to http://localhost:4318. The variables OTEL_… say otherwise.
const sdk = new NodeSDK({ serviceName: 'everything' });
sdk.start();
startTelemetry();

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';
const app = express();

const resourceMetadata = { resource: `http://localhost:${port}/mcp` };
const policy: McpAuthOptions = { issuer, resourceMetadata, logger: console };
app.use(protectedResourceMetadata(policy));

const backend = mcpStdioBackend({ command: 'npx', args: ['@modelcontextprotocol/server-everything'], logger: console });
app.use('/mcp', mcpAuth(policy), backend);

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});

// The SDK sends the last spans when it shuts down.
process.once('SIGTERM', async () => {
  await backend.close();
  await sdk.shutdown();
  process.exit();
});

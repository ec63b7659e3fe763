import { NodeSDK } from '@opentelemetry/sdk-node';
import express from 'express';
import { mcpAuth, mcpStdioBackend } from 'express-mcp-auth';
import { startTelemetry } from 'express-mcp-auth/telemetry';

// Sends what it gets to http://localhost:4318. The variables OTEL_… say otherwise.
const sdk = new NodeSDK({ serviceName: 'notes' });
sdk.start();
startTelemetry();

const app = express();
app.use(mcpAuth({ issuer: 'https://auth.example.com', resourceMetadata: { resource: 'https://mcp.example.com/mcp' } }));
app.use('/mcp', mcpStdioBackend({ command: 'node', args: ['notes.js'] }));
app.listen(3000);
process.once('SIGTERM', () => void sdk.shutdown().then(() => process.exit()));

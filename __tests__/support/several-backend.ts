import { createServer } from 'node:http';
import express from 'express';
import { onTestFinished } from 'vitest';
import { type McpBackend, type McpBackendOptions, mcpBackend } from '../../src/index.js';
import { listen, originOf, stop } from './loopback-server.js';
import { identify } from './stdio-bridge.js';

/** Serves `mcpBackend()` at /mcp, for users who name themselves as `Bearer NAME`. */
export async function serveTargets(options: McpBackendOptions): Promise<{ url: string; backend: McpBackend }> {
  const backend = mcpBackend(options);
  const app = express();
  app.use(identify);
  app.use('/mcp', backend);
  const server = createServer(app);
  await listen(server);
  onTestFinished(async () => {
    await backend.close();
    await stop(server);
  });
  return { url: `${originOf(server)}/mcp`, backend };
}

import express, { type Express } from 'express';
import { type McpAuthOptions, type McpStdioBackend, mcpAuth, mcpStdioBackend } from 'express-mcp-auth';

/** Returns the backend too: the suite closes it. */
export function createServer(policy: McpAuthOptions): { app: Express; backend: McpStdioBackend } {
  const backend = mcpStdioBackend({ command: 'npx', args: ['@modelcontextprotocol/server-everything'] });
  const app = express();
  app.use('/mcp', mcpAuth(policy), backend);
  return { app, backend };
}

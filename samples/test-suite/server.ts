import express, { type Express } from 'express';
import { getAuth, type McpAuthOptions, mcpAuth, protectedResourceMetadata } from 'express-mcp-auth';

/** The app under test takes its policy: the real one in production, the test issuer's in the suite. */
export function createServer(policy: McpAuthOptions): Express {
  const app = express();
  app.use('/mcp', mcpAuth(policy));
  app.use(protectedResourceMetadata(policy));
  app.get('/mcp', (req, res) => {
    res.json({ hello: getAuth(req)?.subject });
  });
  return app;
}

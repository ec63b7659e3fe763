import type { AuthInfo } from './core/auth-info.js';

declare global {
  namespace Express {
    /** What `import 'express-mcp-auth/express'` adds: the type of `req.auth`. */
    interface Request {
      /** What the token says, as `mcpAuth()` verified it; `undefined` for an anonymous request. */
      auth?: AuthInfo | undefined;
    }
  }
}

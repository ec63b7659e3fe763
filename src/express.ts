import type { AuthInfo } from './core/auth-info.js';

declare global {
  namespace Express {
    /** `import 'express-mcp-auth/express'` adds the type of `req.auth`. */
    interface Request {
      /** The token and its claims, as `mcpAuth()` verified them; `undefined` for an anonymous request. */
      auth?: AuthInfo | undefined;
    }
  }
}

import type { Logger } from '../index.js';

/** Lines as agentgateway writes them: `INFO express-mcp-auth: Listening on 0.0.0.0:3000`. Warnings go to stderr. */
export const consoleLogger: Logger = {
  debug: () => undefined,
  info: (line) => console.log(`INFO express-mcp-auth: ${line}`),
  warn: (line) => console.error(`WARN express-mcp-auth: ${line}`),
  error: (line) => console.error(`ERROR express-mcp-auth: ${line}`),
};

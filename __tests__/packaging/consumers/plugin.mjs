// A plugin of the application, with its own copy of the package in its node_modules.
import { fileURLToPath } from 'node:url';
import { getAuth, mcpScopes, mcpStdioBackend } from 'express-mcp-auth';

export { getAuth };

export const scopes = mcpScopes({ 'tools/call': { delete_file: ['files:write'] } });
export const backend = mcpStdioBackend({
  command: process.execPath,
  args: [fileURLToPath(new URL('../../caller-server.cjs', import.meta.url))],
  env: (auth) => ({ CALLER: auth?.payload.sub ?? 'anonymous' }),
});

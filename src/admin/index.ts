export type { McpAdminOptions } from './admin-options.js';
export { type McpAdmin, mcpAdmin } from './mcp-admin.js';

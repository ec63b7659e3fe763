/** The `node:diagnostics_channel` of the records of calls. */
export const CALL_CHANNEL = 'express-mcp-auth:call';

/** The `node:diagnostics_channel` of the decisions of `mcpAuth()`. */
export const DECISION_CHANNEL = 'express-mcp-auth:decision';

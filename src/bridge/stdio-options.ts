import { requireArgument } from '../options/argument.js';
import { createChecks } from '../options/checks.js';
import { type OptionTable, readOptions } from '../options/option-table.js';
import { BRIDGE_TABLE, type BridgeOptions, type ResolvedBridge, withAnonymousShare } from './bridge-options.js';
import { CHILD_TABLE, type ChildOptions, type ResolvedChild, requireChild } from './child-options.js';

/** The options of `mcpStdioBackend()`. */
export interface McpStdioBackendOptions extends ChildOptions, BridgeOptions {}

export const STDIO_TABLE = { ...CHILD_TABLE, ...BRIDGE_TABLE } satisfies OptionTable<McpStdioBackendOptions>;

export type ResolvedStdio = ResolvedChild & ResolvedBridge;

/** Checks the options of `mcpStdioBackend()`. Throws a `ConfigError` for the first one that cannot be used. */
export function resolveStdioOptions(options: Readonly<McpStdioBackendOptions>): ResolvedStdio {
  const checks = createChecks('mcpStdioBackend()');
  const given = requireArgument(checks, options, { example: '{ command: "node", args: ["server.js"] }' });
  const resolved = requireChild(checks, readOptions(checks, STDIO_TABLE, given), given.env);
  return withAnonymousShare(resolved);
}

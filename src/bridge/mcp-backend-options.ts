import { requireArgument } from '../options/argument.js';
import { createChecks, isPlain, type OptionChecks } from '../options/checks.js';
import { type OptionTable, readOptions } from '../options/option-table.js';
import { BRIDGE_TABLE, type BridgeOptions, type ResolvedBridge, withAnonymousShare } from './bridge-options.js';
import { JOINED_TABLE, type JoinedOptions, type ResolvedJoining } from './joined-options.js';
import { type McpTarget, type ResolvedTarget, readTargets } from './target-options.js';

/** The options of `mcpBackend()`. */
export interface McpBackendOptions extends BridgeOptions, JoinedOptions {
  /**
   * The MCP servers by name: programs (`{ command }`) and remote servers (`{ url }`). A name consists of lower-case letters, digits and
   * hyphens, and of dots between these.
   */
  readonly targets: Readonly<Record<string, McpTarget>>;
}

export const BACKEND_TABLE = {
  targets: { read: readTargets },
  ...JOINED_TABLE,
  ...BRIDGE_TABLE,
} satisfies OptionTable<McpBackendOptions>;

export interface ResolvedBackend extends ResolvedBridge, ResolvedJoining {
  readonly targets: ReadonlyMap<string, ResolvedTarget>;
}

/** Checks the options of `mcpBackend()`. Throws a `ConfigError` for the first one that cannot be used. */
export function resolveBackendOptions(options: Readonly<McpBackendOptions>): ResolvedBackend {
  const checks = createChecks('mcpBackend()');
  const example = '{ targets: { notes: { command: "node", args: ["server.js"] } } }';
  const given = requireArgument(checks, options, { example });
  if (given.targets === undefined) refuseBareTargets(checks, given);
  return withAnonymousShare(readOptions(checks, BACKEND_TABLE, given));
}

/** Refuses targets that are written in the place of the options, and says how to write them. */
function refuseBareTargets(checks: OptionChecks, given: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (Object.hasOwn(BACKEND_TABLE, name) || !isPlain(value)) continue;
    if (value.command === undefined && value.url === undefined) continue;
    checks.refuseUnquoted(name, 'a member of "targets"', `Write mcpBackend({ targets: { ${name}: { … } } }).`);
  }
}

import type { McpAuthorizationOptions } from '../../index.js';
import { MCP_AUTHORIZATION, MCP_AUTHORIZATION_TYPE } from '../schema/login-keys.js';
import type { ConfigNode } from './config-node.js';
import { typedValue } from './typed-value.js';

/** A block `mcpAuthorization`, of a route or of its backend. */
export interface AuthorizationConfig {
  /** Not checked here: `mcpAuthorization()` does that. */
  readonly options: McpAuthorizationOptions;
  readonly at: string;
}

/**
 * Reads the blocks `mcpAuthorization` for a route. As in agentgateway, the rules of all of them count together.
 *
 * @throws {StartupError} If two have the same option: only one of them could count.
 */
export function readAuthorizationPolicies(blocks: readonly ConfigNode[]): readonly AuthorizationConfig[] {
  const seen: Partial<Record<string, ConfigNode>> = {};
  for (const block of blocks) {
    const { rules: _, ...options } = block.members(MCP_AUTHORIZATION);
    for (const [name, option] of Object.entries(options)) {
      const other = seen[name];
      if (other) option.refuse(`is also in ${other.path}: write it once`);
      seen[name] = option;
    }
  }
  return blocks.map((node) => ({
    options: typedValue(node, MCP_AUTHORIZATION_TYPE) as McpAuthorizationOptions,
    at: node.path,
  }));
}

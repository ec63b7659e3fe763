import type { McpAuthorizationOptions } from '../../index.js';
import type { ConfigNode } from './config-node.js';

/** A block `mcpAuthorization`, of a route or of its backend. */
export interface AuthorizationConfig {
  /** Not checked here: `mcpAuthorization()` does that. */
  readonly options: McpAuthorizationOptions;
  readonly at: string;
}

const OPTIONS = ['onDenied', 'mode', 'hide', 'maxBodyBytes'] as const;

/**
 * Reads the `mcpAuthorization` of a route and of its backend. As in agentgateway, the rules of both count together.
 *
 * @throws {StartupError} If both have options: only one of the two could count.
 */
export function readAuthorizationPolicies(
  route: ConfigNode | undefined,
  backend: ConfigNode | undefined,
): readonly AuthorizationConfig[] {
  const given = [route, backend].filter((node) => node !== undefined);
  const [first, second] = given.map((node) => node.members({ required: ['rules'], optional: OPTIONS }));
  for (const option of OPTIONS) {
    const other = first?.[option];
    if (other) second?.[option]?.refuse(`is also in ${other.path}: write it once`);
  }
  return given.map((node) => ({ options: node.mapping() as unknown as McpAuthorizationOptions, at: node.path }));
}

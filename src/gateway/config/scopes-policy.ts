import { SCOPES_OPTIONS } from '../../authorization/scopes-options.js';
import type { McpScopesOptions, ScopeRules } from '../../index.js';
import type { ConfigNode } from './config-node.js';

export interface ScopesConfig {
  /** `mcpScopes()` checks both. */
  readonly rules: ScopeRules;
  readonly options: McpScopesOptions;
  readonly at: string;
}

/** Beside the methods, which have a slash in their names or are `initialize` and `ping`. */
const OPTIONS: readonly string[] = SCOPES_OPTIONS.filter((name) => name !== 'logger');

/** `policies.mcpScopes`: the rules of `mcpScopes()`, and its options among them. */
export function readScopesPolicy(node: ConfigNode): ScopesConfig {
  const members = Object.entries(node.mapping());
  const rules = Object.fromEntries(members.filter(([name]) => !OPTIONS.includes(name))) as ScopeRules;
  const options = Object.fromEntries(members.filter(([name]) => OPTIONS.includes(name)));
  return { rules, options, at: node.path };
}

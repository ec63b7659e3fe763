import { isMethodName, suggestMethod } from '../../authorization/rule-names.js';
import { SCOPES_TABLE } from '../../authorization/scopes-options.js';
import type { ScopeRules } from '../../index.js';
import { inFile } from '../schema/backend-keys.js';
import { MCP_SCOPES } from '../schema/login-keys.js';
import type { ConfigNode } from './config-node.js';
import type { ScopesConfig } from './gateway-config.js';
import { typedValue } from './typed-value.js';

const SCOPES_MEMBERS = Object.keys(inFile(SCOPES_TABLE));

/** Reads `policies.mcpScopes`: the rules of `mcpScopes()`, with its options among them. */
export function readScopesPolicy(node: ConfigNode): ScopesConfig {
  for (const [name, member] of node.children()) {
    if (SCOPES_MEMBERS.includes(name) || isMethodName(name)) continue;
    member.refuse(
      `is neither a method, such as "tools/call", nor an option. ${suggestMethod(name, SCOPES_MEMBERS, 'file')}`,
    );
  }
  const members = Object.entries(node.withValue(typedValue(node, MCP_SCOPES)).mapping());
  const rules = Object.fromEntries(members.filter(([name]) => !SCOPES_MEMBERS.includes(name))) as ScopeRules;
  const options = Object.fromEntries(members.filter(([name]) => SCOPES_MEMBERS.includes(name)));
  return { rules, options, at: node.path };
}

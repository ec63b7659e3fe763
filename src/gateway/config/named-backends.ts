import { NAMED_BACKEND } from '../schema/file-keys.js';
import type { ConfigNode } from './config-node.js';
import type { NamedBackend } from './file-parts.js';
import { readPolicies } from './policy-levels.js';
import type { PolicyTargets } from './targeted-policies.js';
import { hasUnsupportedKey, UNSUPPORTED_BACKENDS } from './unsupported-features.js';

/** Reads the section `backends`. */
export function readNamedBackends(
  node: ConfigNode | undefined,
  targets: PolicyTargets,
): ReadonlyMap<string, NamedBackend> {
  const backends = new Map<string, NamedBackend>();
  for (const item of node?.items() ?? []) {
    const { name, mcp, policies } = item.members(NAMED_BACKEND, { unsupported: UNSUPPORTED_BACKENDS });
    if (backends.has(name.text()))
      name.refuse(`is ${JSON.stringify(name.text())}, but another backend has the same name`);
    if (mcp === undefined && !hasUnsupportedKey(item, UNSUPPORTED_BACKENDS)) item.refuse('must have mcp');
    if (mcp === undefined) targets.leaveOut('backend', name.text());
    backends.set(name.text(), { mcp, policies: mcp ? readPolicies(policies, 'backend') : {} });
  }
  return backends;
}

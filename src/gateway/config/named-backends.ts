import { NAMED_BACKEND } from '../schema/file-keys.js';
import type { ConfigNode } from './config-node.js';
import type { NamedBackend } from './file-parts.js';
import { readPolicies } from './policy-levels.js';
import { BACKENDS_OUT } from './stays-out.js';

/** Reads the section `backends`. */
export function readNamedBackends(node: ConfigNode | undefined): ReadonlyMap<string, NamedBackend> {
  const backends = new Map<string, NamedBackend>();
  for (const item of node?.items() ?? []) {
    const { name, mcp, policies } = item.members(NAMED_BACKEND, { staysOut: BACKENDS_OUT });
    if (backends.has(name.text()))
      name.refuse(`is ${JSON.stringify(name.text())}, but another backend has the same name`);
    // A backend of another kind that --ignore leaves out has no member of its own.
    if (mcp !== undefined) backends.set(name.text(), { mcp, policies: readPolicies(policies, 'backend') });
  }
  return backends;
}

import { NAMED_BACKEND } from '../schema/file-keys.js';
import type { ConfigNode } from './config-node.js';
import { type Policies, readPolicies } from './policy-levels.js';
import type { PolicyTargets } from './targeted-policies.js';
import { hasUnsupportedKey, UNSUPPORTED_BACKENDS } from './unsupported-features.js';

/** An item of the section `backends`. */
interface NamedBackend {
  /** Undefined if `--ignore` leaves it out. */
  readonly mcp: ConfigNode | undefined;
  readonly policies: Policies;
  readonly at: string;
}

/** The section `backends`. It notes which of them the routes use. */
export class NamedBackends {
  readonly #backends = new Map<string, NamedBackend>();
  readonly #used = new Set<NamedBackend>();

  constructor(node: ConfigNode | undefined, targets: PolicyTargets) {
    for (const item of node?.items() ?? []) {
      const { name, mcp, policies } = item.members(NAMED_BACKEND, { unsupported: UNSUPPORTED_BACKENDS });
      if (this.#backends.has(name.text()))
        name.refuse(`is ${JSON.stringify(name.text())}, but another backend has the same name`);
      if (mcp === undefined && !hasUnsupportedKey(item, UNSUPPORTED_BACKENDS)) item.refuse('must have mcp');
      if (mcp === undefined) targets.leaveOut('backend', name.text());
      this.#backends.set(name.text(), { mcp, policies: mcp ? readPolicies(policies, 'backend') : {}, at: item.path });
    }
  }

  /** Returns the backend that a route names; undefined if there is none. */
  get(name: string): NamedBackend | undefined {
    const backend = this.#backends.get(name);
    if (backend !== undefined) this.#used.add(backend);
    return backend;
  }

  /** The places of those that no route has named. */
  get unused(): readonly string[] {
    const all = [...this.#backends.values()];
    return all.filter((each) => each.mcp !== undefined && !this.#used.has(each)).map(({ at }) => at);
  }
}

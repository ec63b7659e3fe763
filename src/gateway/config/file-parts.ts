import type { ConfigNode } from './config-node.js';
import type { Policies } from './policy-levels.js';
import type { RuntimeConfig } from './runtime-section.js';
import type { PolicyTargets } from './targeted-policies.js';

/** The parts that the readers of a file share. */
export interface FileParts extends RuntimeConfig {
  /** Relative file names start here. */
  readonly directory: string;
  /** The section `backends`, by name. */
  readonly backends: ReadonlyMap<string, NamedBackend>;
  /** The section `policies`. */
  readonly policies: PolicyTargets;
}

/** An item of the section `backends`. */
export interface NamedBackend {
  /** Undefined if `--ignore` leaves it out. */
  readonly mcp: ConfigNode | undefined;
  readonly policies: Policies;
}

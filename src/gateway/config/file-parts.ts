import type { NamedBackends } from './named-backends.js';
import type { RuntimeConfig } from './runtime-section.js';
import type { PolicyTargets } from './targeted-policies.js';

/** The parts that the readers of a file share. */
export interface FileParts extends RuntimeConfig {
  /** Relative file names start here. */
  readonly directory: string;
  /** The section `backends`, by name. */
  readonly backends: NamedBackends;
  /** The section `policies`. */
  readonly policies: PolicyTargets;
}

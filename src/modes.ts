/** What a mode does with a request that strict would refuse. */
export interface Mode {
  readonly withoutToken: 'refuse' | 'pass';
  /** A token that does not verify, lacks a scope, or cannot be judged because its keys cannot be read. */
  readonly withBadToken: 'refuse' | 'pass';
  /** What is recorded of a request that passes all the same. */
  readonly passesAs: 'anonymous' | 'would_refuse';
  /** What the log has a line for. */
  readonly logs: 'refusals' | 'every request';
}

/** The modes of agentgateway's `mcpAuthentication.mode`. A request that passes for want of a refusal has no identity. */
export const MODES = {
  strict: { withoutToken: 'refuse', withBadToken: 'refuse', passesAs: 'anonymous', logs: 'refusals' },
  optional: { withoutToken: 'pass', withBadToken: 'refuse', passesAs: 'anonymous', logs: 'refusals' },
  permissive: { withoutToken: 'pass', withBadToken: 'pass', passesAs: 'would_refuse', logs: 'every request' },
} as const satisfies Record<string, Mode>;

/** `strict`: a valid token or a refusal. `optional`: anonymous passes too. `permissive`: never refuses; for debugging. */
export type ModeName = keyof typeof MODES;

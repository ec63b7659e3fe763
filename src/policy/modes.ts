/** What a mode does with a request that strict would refuse. */
export interface Mode {
  readonly withoutToken: 'refuse' | 'pass';
  /** A token that does not verify, lacks a scope, or cannot be judged because its keys cannot be read. */
  readonly withBadToken: 'refuse' | 'pass';
  /** What is recorded of a request that passes all the same. */
  readonly passesAs: 'anonymous' | 'would_refuse';
  /** Requests that passed with their token have a line in the log too, and no line stands at `debug`. */
  readonly logsEverything: boolean;
}

/** The modes of agentgateway's `mcpAuthentication.mode`. A request that passes for want of a refusal has no identity. */
export const MODES = {
  strict: { withoutToken: 'refuse', withBadToken: 'refuse', passesAs: 'anonymous', logsEverything: false },
  optional: { withoutToken: 'pass', withBadToken: 'refuse', passesAs: 'anonymous', logsEverything: false },
  permissive: { withoutToken: 'pass', withBadToken: 'pass', passesAs: 'would_refuse', logsEverything: true },
} as const satisfies Record<string, Mode>;

/** `strict`: a valid token or a refusal. `optional`: anonymous passes too. `permissive`: `mcpAuth()` refuses nothing; for debugging. */
export type McpAuthMode = keyof typeof MODES;

/** True if every request needs a valid token. */
export function requiresToken(mode: McpAuthMode): boolean {
  return MODES[mode].withoutToken === 'refuse';
}

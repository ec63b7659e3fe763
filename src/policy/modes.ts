/** The behaviour of a mode for requests that strict mode refuses. */
export interface Mode {
  readonly withoutToken: 'refuse' | 'pass';
  /** A token that does not verify, lacks a scope, or cannot be checked because the keys cannot be read. */
  readonly withBadToken: 'refuse' | 'pass';
  /** The outcome that is recorded for such a request if it passes. */
  readonly passesAs: 'anonymous' | 'would_refuse';
  /** True if requests that pass with their token are logged too, and no line is at level `debug`. */
  readonly logsEverything: boolean;
}

/** The modes of agentgateway's `mcpAuthentication.mode`. A request that passes without a valid token is anonymous. */
export const MODES = {
  strict: { withoutToken: 'refuse', withBadToken: 'refuse', passesAs: 'anonymous', logsEverything: false },
  optional: { withoutToken: 'pass', withBadToken: 'refuse', passesAs: 'anonymous', logsEverything: false },
  permissive: { withoutToken: 'pass', withBadToken: 'pass', passesAs: 'would_refuse', logsEverything: true },
} as const satisfies Record<string, Mode>;

/**
 * `strict`: every request needs a valid token. `optional`: a request without a token passes as anonymous; one with a bad token
 * is refused. `permissive`: requests pass with a bad token too; for debugging.
 */
export type McpAuthMode = keyof typeof MODES;

/** True if every request needs a valid token. */
export function requiresToken(mode: McpAuthMode): boolean {
  return MODES[mode].withoutToken === 'refuse';
}

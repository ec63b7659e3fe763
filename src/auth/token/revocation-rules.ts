import type { AuthInfo } from '../../core/auth-info.js';
import { createFailureLine } from '../../core/failure-line.js';
import { ignoreRejection } from '../../core/ignore-rejection.js';
import type { Logger } from '../../core/logger.js';

/** A function of the application that says which tokens are revoked. */
export type RevocationFunction = (auth: AuthInfo) => boolean;

interface Rule {
  readonly matches: RevocationFunction;
  /** Seconds since 1970. */
  readonly madeAt: number;
}

const FAILED = 'mcpAuth(): a function that revoke() was given failed, so the token is refused';

/** Remembers the functions that `revoke()` was given. A rule applies to tokens issued before it was made, so that a user can log in again. */
export function createRevocationRules(clockToleranceSeconds: number, logger: Logger) {
  // Never dropped: only the tokens show which of them a rule matches, and when they expire.
  const rules: Rule[] = [];
  const logFailure = createFailureLine('revoke()', FAILED, logger);

  function applies({ matches, madeAt }: Rule, auth: AuthInfo): boolean {
    const issuedAt = auth.payload.iat;
    if (typeof issuedAt === 'number' && issuedAt > madeAt + clockToleranceSeconds) return false;
    try {
      const result: unknown = matches(auth);
      ignoreRejection(result);
      // Any truthy value matches. A promise is truthy, so an async function refuses every token.
      return Boolean(result);
    } catch (thrown) {
      // A rule that throws matches: otherwise its error would let a revoked token in.
      logFailure(thrown);
      return true;
    }
  }

  return {
    add: (matches: RevocationFunction): void => void rules.push({ matches, madeAt: Math.ceil(Date.now() / 1000) }),
    includes: (auth: AuthInfo): boolean => rules.some((rule) => applies(rule, auth)),
  };
}

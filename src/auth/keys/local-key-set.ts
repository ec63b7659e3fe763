import type { Jwks } from '../../policy/auth-options.js';
import type { KeySource } from '../../policy/jwks.js';
import { watchKeyFile } from './key-file.js';
import { createKeyRing, findIn } from './key-ring.js';
import type { KeySet, KeySetContext } from './key-set.js';

/** Keys from a file, which is watched, or given inline. */
export function createLocalKeySet(source: Extract<KeySource, { jwks: Jwks }>, context: KeySetContext): KeySet {
  const ring = createKeyRing(context);
  const fill = (jwks: Jwks) =>
    ring.fill(jwks).catch((error: Error) => {
      context.logger.error(
        `key set of ${context.issuer}: ${error.message}${ring.size > 0 ? '; the old keys stay' : ''}`,
      );
    });
  let filled = fill(source.jwks);
  if (source.kind === 'file') {
    watchKeyFile(source.file, context, (jwks) => {
      // One after the other, so that an older reading cannot overtake a newer one.
      filled = filled.then(() => fill(jwks));
    });
  }
  return {
    async find(kid, alg, refuted) {
      await filled;
      return findIn(ring, kid, alg, refuted);
    },
    holds: (key) => ring.holds(key),
  };
}

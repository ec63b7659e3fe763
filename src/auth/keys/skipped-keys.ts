import type { Logger } from '../../core/logger.js';
import { printable, printableJson } from '../../core/printable.js';

/** A key of a set that cannot verify tokens. */
export interface SkippedKey {
  /** As the JWK has it, of any type. */
  readonly kid: unknown;
  /** The position in the set, from 1. */
  readonly position: number;
  readonly why: string;
  /** True if the key is meant for encryption (Keycloak publishes such keys), so that nothing is wrong. */
  readonly isExpected: boolean;
}

const MAX_NAMED = 5;
/** In characters. */
const MAX_NAME_LENGTH = 100;

/**
 * Logs the skipped keys of a set, in one line for each level: `debug` for keys that are meant for encryption, `warn` for all
 * others. The same line is not logged twice in a row.
 */
export function createSkippedKeysReport({ issuer, logger }: { readonly issuer: string; readonly logger: Logger }) {
  const last = { debug: '', warn: '' };
  return (skipped: readonly SkippedKey[]): void => {
    for (const level of ['debug', 'warn'] as const) {
      const line = lineFor(skipped.filter(({ isExpected }) => isExpected === (level === 'debug')));
      if (line !== '' && line !== last[level])
        logger[level](`key set of ${printable(issuer, MAX_NAME_LENGTH)}: ${line}`);
      last[level] = line;
    }
  };
}

function lineFor(skipped: readonly SkippedKey[]): string {
  if (skipped.length === 0) return '';
  const named = skipped.slice(0, MAX_NAMED).map(describe).join('; ');
  if (skipped.length === 1) return `${named}: skipped`;
  const more = skipped.length - MAX_NAMED;
  return `${skipped.length} keys are skipped: ${named}${more > 0 ? `; and ${more} more` : ''}`;
}

function describe({ kid, position, why }: SkippedKey): string {
  return `key ${typeof kid === 'string' ? printableJson(kid, MAX_NAME_LENGTH) : `number ${position}`} ${why}`;
}

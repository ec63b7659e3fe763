import type { Logger } from '../../core/logger.js';
import { printable, printableJson } from '../../core/printable.js';

/** A key of a set that cannot verify tokens. */
export interface SkippedKey {
  /** Of a JWK, whose `kid` may be of any type. */
  readonly kid: unknown;
  /** In the set, from 1. */
  readonly position: number;
  readonly why: string;
  /** It is meant for something else, such as encryption (Keycloak publishes such keys): nothing is wrong. */
  readonly isExpected: boolean;
}

const MAX_NAMED = 5;
/** Characters. */
const MAX_NAME = 100;

/**
 * Logs which keys of a set are skipped: in one line for all of them, at `warn`, or at `debug` for those that are meant for
 * something else; and again only when it has become another line.
 */
export function createSkippedKeysReport({ issuer, logger }: { readonly issuer: string; readonly logger: Logger }) {
  const last = { debug: '', warn: '' };
  return (skipped: readonly SkippedKey[]): void => {
    for (const level of ['debug', 'warn'] as const) {
      const line = lineFor(skipped.filter(({ isExpected }) => isExpected === (level === 'debug')));
      if (line !== '' && line !== last[level]) logger[level](`key set of ${printable(issuer, MAX_NAME)}: ${line}`);
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
  return `key ${typeof kid === 'string' ? printableJson(kid, MAX_NAME) : `number ${position}`} ${why}`;
}

import { isRetryCode, MAX_RETRY_CODE, MIN_RETRY_CODE } from '../../bridge/http/retry-options.js';
import type { RetryOptions } from '../../index.js';
import { MAX_ATTEMPTS, RETRY } from '../schema/policy-keys.js';
import type { ConfigNode, UnsupportedFeature } from './config-node.js';
import { readSeconds } from './seconds.js';

/** The policy `retry`. */
export interface RetryConfig {
  readonly options: Required<RetryOptions>;
  readonly at: string;
}

const EXPRESSION: UnsupportedFeature = {
  why: 'only codes decide, and only on what is safe to repeat',
  canIgnore: true,
};

/** A client does not wait longer for its answer. */
const MAX_BACKOFF_SECONDS = 3_600;

/** Reads `retry`. */
export function readRetry(node: ConfigNode): RetryConfig {
  const { attempts, backoff, codes } = node.members(RETRY, {
    unsupported: new Map([
      ['precondition', EXPRESSION],
      ['condition', EXPRESSION],
    ]),
  });
  const times = attempts?.count() ?? RETRY.attempts.default;
  if (times > MAX_ATTEMPTS) attempts?.refuse(`must be at most ${MAX_ATTEMPTS}, but is ${times}`);
  const seconds = backoff === undefined ? 0 : readSeconds(backoff);
  if (seconds > MAX_BACKOFF_SECONDS) backoff?.refuse('must be at most an hour');
  return {
    options: { attempts: times, backoffMs: Math.round(seconds * 1_000), codes: codes.items().map(readCode) },
    at: node.path,
  };
}

function readCode(node: ConfigNode): number {
  const code = node.option();
  return isRetryCode(code) ? code : node.refuse(`must be a status from ${MIN_RETRY_CODE} to ${MAX_RETRY_CODE}`);
}

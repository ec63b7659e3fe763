import { MAX_TIMER_SECONDS } from '../../core/max-timer.js';
import { TIMEOUT } from '../schema/policy-keys.js';
import type { ConfigNode } from './config-node.js';
import { readSeconds, readWholeSeconds } from './seconds.js';

/** The policy `timeout`. */
export interface TimeoutConfig {
  /** From the request to the end of its response. */
  readonly requestMs?: number;
  /** Until a target answers. */
  readonly backendSeconds?: number;
}

/** Reads `timeout`. */
export function readTimeouts(node: ConfigNode): TimeoutConfig {
  const { requestTimeout, backendRequestTimeout } = node.members(TIMEOUT);
  return {
    ...(requestTimeout && { requestMs: requirePositive(requestTimeout, readSeconds) * 1_000 }),
    ...(backendRequestTimeout && { backendSeconds: requirePositive(backendRequestTimeout, readWholeSeconds) }),
  };
}

function requirePositive(node: ConfigNode, read: typeof readSeconds): number {
  const seconds = read(node);
  return seconds > 0 && seconds <= MAX_TIMER_SECONDS ? seconds : node.refuse('must be more than 0 and at most 24 days');
}

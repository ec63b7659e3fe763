import type { Limit } from '../../index.js';
import { perAllCallers } from '../../limits/all-callers.js';
import { DURATION_FORM, parseDuration } from '../../limits/duration.js';
import { PER, RATE_LIMIT } from '../schema/policy-keys.js';
import type { ConfigNode } from './config-node.js';

/** The policy `localRateLimit`. */
export interface RateLimitsConfig {
  readonly limits: readonly Limit[];
  readonly at: string;
}

/** Reads agentgateway's policy `localRateLimit` for `mcpLimits()`. */
export function readRateLimits(node: ConfigNode): RateLimitsConfig {
  return { limits: node.someItems().map(readLimit), at: node.path };
}

function readLimit(node: ConfigNode): Limit {
  const { maxTokens, tokensPerFill, fillInterval, type, per } = node.members(RATE_LIMIT);
  if (type && type.text() !== 'requests')
    type.refuse(
      'is not supported, except "requests": the tokens of a language model do not pass through an MCP server',
    );
  const [tokens, refill] = [maxTokens.count(), tokensPerFill.count()];
  if (refill > tokens) tokensPerFill.refuse(`must be at most maxTokens (${tokens}), but is ${refill}`);
  return {
    per: per === undefined ? perAllCallers() : readPer(per),
    tokens,
    refill,
    every: readInterval(fillInterval),
  };
}

function readInterval(node: ConfigNode): string {
  const { value } = node;
  return typeof value === 'string' && parseDuration(value) !== undefined
    ? value
    : node.refuse(`must be ${DURATION_FORM}, but is ${JSON.stringify(value)}`);
}

function readPer(node: ConfigNode): Exclude<Limit['per'], (...given: never[]) => unknown> {
  const text = node.text();
  return (
    PER.find((word) => word === text) ?? node.refuse(`must be one of ${PER.join(', ')}, but is ${JSON.stringify(text)}`)
  );
}

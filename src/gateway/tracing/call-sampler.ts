import type { Attributes, AttributeValue, Context, SpanContext } from '@opentelemetry/api';
import type { CallVariables } from '../../authorization/expressions/call-variables.js';
import type { ValueExpression } from '../../authorization/expressions/value-expression.js';
import { openTelemetryApi } from '../../telemetry/opentelemetry/open-telemetry-api.js';
import { tracedCallOf } from '../../telemetry/opentelemetry/traced-call.js';
import type { Sampling, TracingConfig } from '../config/tracing.js';
import { recordedVariablesOf } from '../recorded-variables.js';

/** The result of a sampler, as both lines of the SDK have it: 0 makes no span, and 2 makes one that is sent. */
interface SamplingResult {
  readonly decision: 0 | 2;
  readonly attributes?: Attributes;
}

/** Decides for each span if it is made, and adds the attributes of the file to spans of calls. */
export interface CallSampler {
  shouldSample(context: Context, traceId: string): SamplingResult;
  toString(): string;
}

const NO_SPAN: SamplingResult = { decision: 0 };
const SPAN: SamplingResult = { decision: 2 };

/** A span within this process is made if its parent is. A call follows the client's decision first, and then the file. */
export function createCallSampler(config: TracingConfig): CallSampler {
  return {
    shouldSample(context, traceId) {
      const { trace, TraceFlags } = openTelemetryApi();
      const parent = trace.getSpanContext(context);
      const traced = tracedCallOf(context);
      if (parent !== undefined && (parent.traceFlags & TraceFlags.SAMPLED) === 0) return NO_SPAN;
      if (traced === undefined || (parent !== undefined && parent.isRemote !== true)) return parent ? SPAN : NO_SPAN;
      return sampleCall(config, { traceId, parent, variables: recordedVariablesOf(traced.req, traced.call) });
    },
    toString: () => 'CallSampler',
  };
}

interface ArrivedCall {
  readonly traceId: string;
  readonly parent: SpanContext | undefined;
  readonly variables: CallVariables;
}

function sampleCall(config: TracingConfig, { traceId, parent, variables }: ArrivedCall): SamplingResult {
  const { randomSampling, clientSampling, filter, attributes } = config;
  const share = shareOf(parent === undefined ? randomSampling : clientSampling, variables);
  if (positionOf(traceId) >= share) return NO_SPAN;
  if (filter !== undefined && filter.evaluate(variables) !== true) return NO_SPAN;
  return { decision: 2, attributes: attributesFrom(attributes, variables) };
}

/** A share from 0 to 1. An expression that fails is 0. */
function shareOf(sampling: Sampling, variables: CallVariables): number {
  const value = typeof sampling === 'number' ? sampling : sampling.evaluate(variables);
  if (typeof value === 'boolean') return value ? 1 : 0;
  const share = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0;
  // 0.0 / 0.0 is not an error in CEL. No position would be at or above it.
  return Number.isNaN(share) ? 0 : share;
}

/** The place of a trace between 0 and 1: the same in every process, so that they sample the same traces. */
function positionOf(traceId: string): number {
  return Number.parseInt(traceId.slice(-8), 16) / 2 ** 32;
}

/** Characters of an attribute. */
const MAX_TEXT = 1_024;

/** Evaluates the expressions of attributes. An expression that fails adds no attribute. */
export function attributesFrom(
  expressions: ReadonlyArray<readonly [name: string, expression: ValueExpression]>,
  variables: CallVariables,
): Attributes {
  const attributes: Attributes = {};
  for (const [name, expression] of expressions) {
    const value = attributeValue(expression.evaluate(variables));
    if (value !== undefined) attributes[name] = value;
  }
  return attributes;
}

function attributeValue(value: unknown): AttributeValue | undefined {
  if (typeof value === 'string') return value.slice(0, MAX_TEXT);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  const isTexts = Array.isArray(value) && value.every((item) => typeof item === 'string');
  return isTexts ? value.map((item: string) => item.slice(0, MAX_TEXT)) : undefined;
}

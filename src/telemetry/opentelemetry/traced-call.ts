import type { IncomingMessage } from 'node:http';
import type { Context } from '@opentelemetry/api';
import type { CallStart } from '../call-tracer.js';

/** The call for which a span begins, for the sampler. */
export interface TracedCall {
  readonly call: CallStart;
  readonly req: IncomingMessage;
}

const KEY = Symbol.for('express-mcp-auth call');

/** Adds the call to the context in which its span begins. */
export function withTracedCall(context: Context, call: TracedCall): Context {
  return context.setValue(KEY, call);
}

/** Returns the call for which a span begins. Undefined for a span of something else. */
export function tracedCallOf(context: Context): TracedCall | undefined {
  return context.getValue(KEY) as TracedCall | undefined;
}

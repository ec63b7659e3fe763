import { channel } from 'node:diagnostics_channel';
import type { CallRecord } from '../../src/telemetry/call-record.js';

const calls = channel('express-mcp-auth:call');
const decisions = channel('express-mcp-auth:decision');

/** The record of a call of the tool `add`. */
export function callRecord(more: Partial<CallRecord> = {}): CallRecord {
  return {
    time: Date.now(),
    route: 'route0',
    method: 'tools/call',
    name: 'add',
    credential: 'anonymous',
    outcome: 'answered',
    durationMs: 3,
    bytesIn: 10,
    bytesOut: 20,
    ...more,
  };
}

/** Publishes a record, as the middlewares do. */
export function publishCall(more: Partial<CallRecord> = {}): void {
  calls.publish(callRecord(more));
}

/** Publishes a decision, as `mcpAuth()` does. */
export function publishDecision(more: { readonly outcome: string; readonly code?: string }): void {
  const decision = { mode: 'permissive', method: 'POST', path: '/', durationMs: 1, cached: false, ...more };
  decisions.publish(decision);
}

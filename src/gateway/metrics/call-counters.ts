import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CALL_CHANNEL } from '../../core/channels.js';
import { OUTAGES, REFUSALS } from '../../core/errors.js';
import { BRIDGE_ERRORS } from '../../messages/bridge-error.js';
import { METHODS, targetNoun } from '../../messages/mcp-call.js';
import { MESSAGE_REFUSALS } from '../../messages/message-refusal.js';
import type { CallRecord } from '../../telemetry/call-record.js';
import { listedName, OTHER } from '../../telemetry/listed-names.js';
import type { MetricTypes } from './metric-types.js';
import { NO_LABEL, type ServedRoutes } from './served-routes.js';

/** The bounds of agentgateway's buckets, in seconds. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 80];

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);
const KNOWN_CODES: ReadonlySet<string> = new Set(
  [REFUSALS, OUTAGES, BRIDGE_ERRORS, MESSAGE_REFUSALS].flatMap((codes) => Object.keys(codes)),
);

/**
 * Counts the calls of MCP and their durations. The values of labels come from the file, from this package and from the lists of MCP servers.
 *
 * @returns A function that ends it.
 */
export function countCalls({ Counter, Histogram, registers }: MetricTypes, served: ServedRoutes): () => void {
  const requests = new Counter({
    name: 'mcp_requests_total',
    help: 'Requests of MCP. The name of a resource is _other if no MCP server has listed it',
    labelNames: ['route', 'server', 'method', 'resource', 'resource_type'],
    registers,
  });
  const durations = new Histogram({
    name: 'mcp_request_duration_seconds',
    help: 'The time from the arrival of a request of MCP to its answer, in seconds',
    labelNames: ['method', 'outcome'],
    buckets: BUCKETS,
    registers,
  });
  const failures = new Counter({
    name: 'mcp_request_failures_total',
    help: 'Requests of MCP that were not answered with a result, with the code of docs/errors.md or of the JSON-RPC error',
    labelNames: ['outcome', 'code'],
    registers,
  });
  const onCall = (message: unknown): void => {
    const record = message as CallRecord;
    const { outcome, durationMs } = record;
    const method = KNOWN_METHODS.has(record.method) ? record.method : OTHER;
    requests.inc({ ...served.labelsOf(record.route, record.target), method, ...labelsOfName(record) });
    durations.observe({ method, outcome }, durationMs / 1_000);
    if (outcome !== 'answered') failures.inc({ outcome, code: labelOfCode(record.code) });
  };
  subscribe(CALL_CHANNEL, onCall);
  return () => void unsubscribe(CALL_CHANNEL, onCall);
}

function labelsOfName(record: CallRecord) {
  const type = targetNoun(record.method);
  // Each task has a name of its own.
  const resource = type === 'task' ? undefined : listedName(record);
  return { resource: resource ?? NO_LABEL, resource_type: type ?? NO_LABEL };
}

/** An MCP server chooses the code of its errors. */
function labelOfCode(code: string | number | undefined): string {
  if (code === undefined) return NO_LABEL;
  const isKnown = typeof code === 'string' ? KNOWN_CODES.has(code) : isStandardCode(code);
  return isKnown ? String(code) : OTHER;
}

/** JSON-RPC defines these codes, and those from -32099 to -32000 for servers. */
function isStandardCode(code: number): boolean {
  const isOfServer = Number.isInteger(code) && code >= -32_099 && code <= -32_000;
  return isOfServer || [-32_700, -32_600, -32_601, -32_602, -32_603].includes(code);
}

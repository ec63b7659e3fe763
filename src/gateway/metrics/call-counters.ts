import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Registry } from 'prom-client';
import { CALL_CHANNEL } from '../../core/channels.js';
import { OUTAGES, REFUSALS } from '../../core/errors.js';
import { BRIDGE_ERRORS } from '../../messages/bridge-error.js';
import { METHODS, type TargetNoun, targetNoun } from '../../messages/mcp-call.js';
import { MESSAGE_REFUSALS } from '../../messages/message-refusal.js';
import type { CallRecord } from '../../telemetry/call-record.js';
import { listedName, OTHER } from '../../telemetry/listed-names.js';
import { addCounter } from './add-counter.js';
import { addDurations } from './add-durations.js';
import { NO_LABEL, type ServedRoutes } from './served-routes.js';

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);
const KNOWN_CODES: ReadonlySet<string> = new Set(
  [REFUSALS, OUTAGES, BRIDGE_ERRORS, MESSAGE_REFUSALS].flatMap((codes) => Object.keys(codes)),
);

/**
 * Counts the calls of MCP and their durations. The values of labels come from the file, from this package and from the lists of MCP servers.
 *
 * @returns A function that ends it.
 */
export function countCalls(registries: readonly Registry[], served: ServedRoutes): () => void {
  const countRequest = addCounter(registries, {
    name: 'mcp_requests_total',
    help: 'Requests of MCP. The name of a resource is _other if no MCP server has listed it',
    labelNames: ['route', 'server', 'method', 'resource', 'resource_type'],
  });
  const countDuration = addDurations(registries, {
    name: 'mcp_request_duration_seconds',
    help: 'The time from the arrival of a request of MCP to its answer, in seconds',
    labelNames: ['method', 'outcome'],
  });
  const countFailure = addCounter(registries, {
    name: 'mcp_request_failures_total',
    help: 'Requests of MCP that failed, tools that report an error included, with the code of docs/errors.md or of the JSON-RPC error',
    labelNames: ['outcome', 'code'],
  });
  const onCall = (message: unknown): void => {
    const record = message as CallRecord;
    const { outcome, durationMs } = record;
    const method = KNOWN_METHODS.has(record.method) ? record.method : OTHER;
    const { route, server } = served.labelsOf(record.route, record.target);
    const type = targetNoun(record.method);
    countRequest(route, server, method, resourceOf(record, type), type ?? NO_LABEL);
    countDuration(durationMs / 1_000, method, outcome);
    if (outcome !== 'answered') countFailure(outcome, labelOfCode(record.code));
  };
  subscribe(CALL_CHANNEL, onCall);
  return () => void unsubscribe(CALL_CHANNEL, onCall);
}

function resourceOf(record: CallRecord, type: TargetNoun | undefined): string {
  // Each task has a name of its own.
  return (type === 'task' ? undefined : listedName(record)) ?? NO_LABEL;
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

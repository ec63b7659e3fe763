import type { CallVariables } from '../../authorization/expressions/call-variables.js';
import { isUnreadable } from '../../authorization/expressions/cel-values.js';
import { printable, printableJson } from '../../core/printable.js';
import { targetNoun } from '../../messages/mcp-call.js';
import type { CallRecord } from '../../telemetry/call-record.js';

/** The value of a field in a line. */
export type LogValue = string | number | boolean;

/** Characters of a value. */
const MAX_VALUE = 500;

/** The fields with the name of a call, as in agentgateway. */
const NAME_FIELDS = {
  tool: 'gen_ai.tool.name',
  prompt: 'gen_ai.prompt.name',
  resource: 'mcp.resource.uri',
  task: 'mcp.task.id',
} as const;

/** Returns the fields that every line has, in their order. Those with a dot have agentgateway's names. */
export function fieldsOfCall(record: CallRecord, { request, source }: CallVariables): Map<string, LogValue> {
  const { outcome, code, durationMs, traceId, requestId } = record;
  const kind = targetNoun(record.method);
  const known: Readonly<Record<string, LogValue | undefined>> = {
    route: record.route,
    'src.addr': source.address,
    'http.method': request.method,
    'http.host': request.host,
    'http.path': request.path,
    'mcp.method.name': record.method,
    'mcp.target': record.target,
    'mcp.resource.type': kind,
    ...(kind && { [NAME_FIELDS[kind]]: record.name }),
    user: record.user,
    client: record.client,
    credential: record.credential,
    outcome,
    code,
    duration: `${Math.round(durationMs)}ms`,
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    'trace.id': traceId,
    requestId,
  };
  const fields = new Map<string, LogValue>();
  for (const [name, value] of Object.entries(known)) {
    const written = asLogValue(value);
    if (written !== undefined && written !== '') fields.set(name, written);
  }
  return fields;
}

/** Converts a value of an expression. Undefined if there is none. Lists and objects become JSON. */
export function asLogValue(value: unknown): LogValue | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'string') return printable(value, MAX_VALUE);
  const json = toJson(value);
  return typeof json === 'object' && json !== null ? printableJson(json, MAX_VALUE) : asLogValue(json);
}

/** Converts the values of the expression library, which JSON does not have. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return asLogValue(value);
  if (typeof value !== 'object' || value === null) return value;
  if (isUnreadable(value)) return null;
  if (Array.isArray(value)) return value.map(toJson);
  // A duration and others are one value.
  if (!(value instanceof Map)) return value instanceof Date ? value.toISOString() : String(value);
  return Object.fromEntries([...value].map(([name, member]) => [String(name), toJson(member)]));
}

/** Writes fields as `name=value`. A text that is not one plain word is quoted. */
export function lineOf(fields: ReadonlyMap<string, LogValue>): string {
  return [...fields].map(([name, value]) => `${name}=${quoted(value)}`).join(' ');
}

function quoted(value: LogValue): string {
  if (typeof value !== 'string' || /^[^\s"=\\]+$/.test(value)) return String(value);
  return JSON.stringify(value);
}

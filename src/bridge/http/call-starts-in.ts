import { isRecord } from '../../http/json-object.js';
import { MAX_MESSAGES } from '../../messages/json-bounds.js';
import { readElements } from '../../messages/json-members.js';
import { keyOfId } from '../../messages/json-rpc.js';
import { calledName } from '../../telemetry/call-starts.js';
import type { CallStart } from '../../telemetry/call-tracer.js';
import type { RequestBody } from './request-body.js';

/**
 * Reads the calls in a body that passes unchanged. The target decides if the body is valid, so this function refuses nothing: a body that is
 * not JSON-RPC has no calls, and only the first calls of a very long batch are returned.
 */
export function callStartsIn(body: RequestBody['body']): readonly CallStart[] {
  if (!Buffer.isBuffer(body)) return [];
  const value = parse(body);
  if (!Array.isArray(value)) return startOf(value, body.length);
  const elements = readElements(body) ?? [];
  return value.slice(0, MAX_MESSAGES).flatMap((message: unknown, i) => {
    const { start = 0, end = 0 } = elements[i] ?? {};
    return startOf(message, end - start);
  });
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    // The target refuses it.
    return undefined;
  }
}

function startOf(message: unknown, bytes: number): CallStart[] {
  if (!isRecord(message)) return [];
  const { id, method, params } = message;
  const key = keyOfId(id);
  if (typeof method !== 'string' || key === undefined) return [];
  const members = isRecord(params) ? params : {};
  return [{ key, method, name: calledName(method, members), params: members, bytes }];
}

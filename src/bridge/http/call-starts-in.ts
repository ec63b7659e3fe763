import { isRecord } from '../../http/json-object.js';
import { MAX_MESSAGES } from '../../messages/json-bounds.js';
import { readElements } from '../../messages/json-members.js';
import { keyOf, keyOfId, readString } from '../../messages/json-rpc.js';
import { isTargeted, METHODS, TARGET_MEMBERS, targetMember } from '../../messages/mcp-call.js';
import { MemberFinder } from '../../messages/member-finder.js';
import { calledName } from '../../telemetry/call-starts.js';
import type { CallStart } from '../../telemetry/call-tracer.js';
import { decodeJson, withoutNonNumbers } from './lenient-json.js';
import type { RequestBody } from './request-body.js';

/** The members of `params` that a span needs. */
const OF_SPANS = ['_meta', 'protocolVersion'];

const members = new MemberFinder([
  ...['id', 'method', 'params'],
  ...[...TARGET_MEMBERS, ...OF_SPANS].map((name) => `params.${name}`),
]);
const ID = members.numberOf('id');
const METHOD = members.numberOf('method');
/** The numbers of the members of `params`. */
const NUMBERS = new Map([...TARGET_MEMBERS, ...OF_SPANS].map((name) => [name, members.numberOf(`params.${name}`)]));

/**
 * Reads the calls in a body that passes unchanged. The target decides if the body is valid, so this function refuses nothing: a body that is
 * not JSON-RPC has no calls, and only the first calls of a very long batch are returned.
 *
 * @param needsArguments False if only the members of `params` that records and spans use are needed. Then the rest is not checked: a body that
 * is not JSON in such a place has a call too.
 */
export function callStartsIn(body: RequestBody['body'], needsArguments: boolean): readonly CallStart[] {
  if (!Buffer.isBuffer(body)) return [];
  if (!needsArguments && members.find(body)) {
    const found = foundStart(body.length);
    members.release();
    return found;
  }
  const { value, bytes } = parse(decodeJson(body));
  if (!Array.isArray(value)) return startOf(value, body.length);
  const elements = readElements(bytes) ?? [];
  return value.slice(0, MAX_MESSAGES).flatMap((message: unknown, i) => {
    const { start = 0, end = 0 } = elements[i] ?? {};
    return startOf(message, end - start);
  });
}

/** Returns the call that `members` has found. */
function foundStart(bytes: number): CallStart[] {
  const key = keyOf(members.textOf(ID));
  const method = foundMethod();
  if (key === undefined || method === undefined) return [];
  const target = isTargeted(method) ? targetMember(method) : undefined;
  const name = target && readString(foundText(target));
  return [{ key, method, name, params: foundParams(), bytes }];
}

/** Returns our own constant if there is one: V8 looks it up faster than a new string. */
function foundMethod(): string | undefined {
  for (const { method, written } of WRITTEN_METHODS) if (members.isWritten(METHOD, written)) return method;
  return readString(members.textOf(METHOD));
}

const WRITTEN_METHODS = METHODS.map((method) => ({ method, written: Buffer.from(JSON.stringify(method)) }));

function foundParams(): CallStart['params'] {
  let params = NONE;
  for (const name of OF_SPANS) {
    const text = foundText(name);
    if (text !== '') params = { ...params, [name]: parse(Buffer.from(text)).value };
  }
  return params;
}

/** Returns a member of `params` as it was written; empty if there is none. */
function foundText(name: string): string {
  const number = NUMBERS.get(name) as number;
  return members.has(number) ? members.textOf(number) : '';
}

const NONE: CallStart['params'] = Object.freeze({});

/** Parses what targets may accept, so that each call has a record. `value` is undefined for anything else. */
function parse(bytes: Buffer): { readonly value?: unknown; readonly bytes: Buffer } {
  try {
    return { value: JSON.parse(bytes.toString()), bytes };
  } catch {
    const lenient = withoutNonNumbers(bytes.toString());
    return { value: parseOrUndefined(lenient), bytes: Buffer.from(lenient) };
  }
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
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

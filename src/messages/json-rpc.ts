import { isUtf8 } from 'node:buffer';
import { isRecord } from '../http/json-object.js';
import { BridgeError } from './bridge-error.js';
import { countMembers, JsonBoundError } from './json-bounds.js';
import {
  type JsonMember,
  type JsonMembers,
  memberOf,
  readElements,
  readFirstMembers,
  readMembers,
  textOf,
} from './json-members.js';
import { skipSpace } from './json-scan.js';
import {
  ENVELOPE_NAMES,
  foldName,
  isAmbiguousName,
  isReadDifferently,
  type KnownNames,
  META_NAMES,
  PARAM_NAMES,
  RESULT_NAMES,
} from './known-names.js';
import { targetMember } from './mcp-call.js';

/** The parts of a message that routing needs. `bytes` is the unchanged message. */
export interface RpcMessage {
  readonly kind: 'request' | 'notification' | 'response';
  readonly bytes: Buffer;
  readonly members: JsonMembers;
  /** The position of the id; absent on notifications. */
  readonly idAt: JsonMember | undefined;
  /** The id as it was written, for example `"a"` or `7`; absent on notifications. */
  readonly id: string | undefined;
  /** The id in the spelling of {@link keyOf}, for comparison; absent on notifications, and on responses whose id is neither a string nor a number. */
  readonly key: string | undefined;
  /** Empty on responses. */
  readonly method: string;
}

/** A checked message from a client. `params` is parsed from the same bytes that are passed on. */
export interface ClientMessage extends RpcMessage {
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * Parses a request body: one message, or a batch.
 *
 * @throws {BridgeError}
 */
export function parseMessages(body: Buffer): { messages: readonly ClientMessage[]; batch: boolean } {
  const value = parseJson(body);
  if (!Array.isArray(value)) return { messages: [parseMessage(body, value)], batch: false };
  const elements = readElements(body) ?? [];
  if (elements.length === 0) throw new BridgeError('not_json_rpc');
  const messages = elements.map(({ start, end }, index) => parseMessage(body.subarray(start, end), value[index]));
  return { messages, batch: true };
}

function parseJson(body: Buffer): unknown {
  // Parsers read invalid UTF-8 differently.
  if (!isUtf8(body)) throw new BridgeError('malformed_json');
  const text = body.toString('utf8');
  try {
    countMembers(text);
    return JSON.parse(text);
  } catch (error) {
    // The parser's own message quotes the body, so it is not passed on.
    throw new BridgeError(error instanceof JsonBoundError ? error.reason : 'malformed_json');
  }
}

function parseMessage(bytes: Buffer, value: unknown): ClientMessage {
  const message = readMessage(bytes);
  if (message === undefined || !isRecord(value)) throw new BridgeError('not_json_rpc');
  const { id } = message;
  refuseAmbiguous(message.members, ENVELOPE_NAMES, id);
  if (isReadDifferently(message.method)) throw new BridgeError('ambiguous_message', { id });
  const { jsonrpc, params = {} } = value;
  if (jsonrpc !== '2.0' || !isRecord(params)) throw new BridgeError('not_json_rpc', { id });
  refuseAmbiguousIn(message, 'params', PARAM_NAMES);
  const target = params[targetMember(message.method) ?? ''];
  if (typeof target === 'string' && isReadDifferently(target)) throw new BridgeError('ambiguous_message', { id });
  // A response may contain anything. Only `_meta` has a meaning here.
  refuseAmbiguousIn(message, 'result', RESULT_NAMES);
  return { ...message, params };
}

/** Reads the parts of a message that routing needs. Undefined if the bytes as a whole are not a JSON-RPC message. */
export function readMessage(bytes: Buffer): RpcMessage | undefined {
  const members = readMembers(bytes);
  if (members === undefined || skipSpace(bytes, members.end) < bytes.length) return undefined;
  let idAt: JsonMember | undefined;
  let method: JsonMember | undefined;
  let outcome = false;
  for (const member of members.list) {
    if (member.name === 'id') idAt = member;
    else if (member.name === 'method') method = member;
    else if (member.name === 'result' || member.name === 'error') outcome = true;
  }
  const id = idAt && textOf(bytes, idAt);
  const key = id === undefined ? undefined : keyOf(id);
  if (method === undefined)
    return outcome && id ? { kind: 'response', bytes, members, idAt, id, key, method: '' } : undefined;
  const name = readString(textOf(bytes, method));
  if (name === undefined || outcome || (id !== undefined && key === undefined)) return undefined;
  return { kind: id === undefined ? 'notification' : 'request', bytes, members, idAt, id, key, method: name };
}

/** Reads the members of the object at `path` in a message, or in an object within it. */
export function membersAt(
  { bytes, members }: { readonly bytes: Buffer; readonly members: JsonMembers | undefined },
  ...path: readonly string[]
): JsonMembers | undefined {
  let inner = members;
  for (const name of path) {
    const member = memberOf(inner, name);
    inner = member && readMembers(bytes, member.start);
  }
  return inner;
}

/** Reads the id or progress token in the member `name` of the message's `params`, in the spelling of `keyOf`. */
export function keyInParams(message: RpcMessage, name: string): string | undefined {
  const member = memberOf(membersAt(message, 'params'), name);
  return member && keyOf(textOf(message.bytes, member));
}

/**
 * Returns one spelling for equal ids and progress tokens. A server may answer `1.0` with `1`, or `"\\u0061"` with `"a"`, and a
 * JavaScript server rounds numbers beyond 2^53. Undefined for anything but a string or a number.
 */
export function keyOf(text: string): string | undefined {
  if (text.startsWith('"')) return keyOfId(readString(text));
  return /^-?\d/.test(text) ? keyOfId(Number(text)) : undefined;
}

/** The same for an id or progress token that is parsed already. */
export function keyOfId(id: unknown): string | undefined {
  if (typeof id === 'string') return `"${id}`;
  return typeof id === 'number' ? `${id}` : undefined;
}

/** Parses `text` as a JSON string. Undefined if it is not one. */
export function readString(text: string): string | undefined {
  if (!text.startsWith('"')) return undefined;
  if (!text.includes('\\')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    // A broken escape, so it is not a JSON string.
    return undefined;
  }
}

/** Bytes at the beginning and at the end of a message that are searched: the search takes quadratic time. */
const MAX_SEARCHED_BYTES = 4_096;

/**
 * Reads what the first and the last bytes of a message that is too long to be kept show of it. It counts as a response unless they show a
 * method. The key is undefined if the id is not visible.
 */
export function readTruncated(head: Buffer, tail: Buffer): Pick<RpcMessage, 'kind' | 'id' | 'key'> {
  const start = head.subarray(0, MAX_SEARCHED_BYTES);
  const first = readFirstMembers(start).map((member) => [member.name, textOf(start, member)] as const);
  const members = [...first, ...lastMembers(tail.toString('utf8', Math.max(0, tail.length - MAX_SEARCHED_BYTES)))];
  const has = (wanted: string) => members.some(([name]) => name === wanted);
  const [, id] = members.find(([name]) => name === 'id') ?? [];
  const key = id === undefined ? undefined : keyOf(id);
  if (!has('method') || has('result') || has('error')) return { kind: 'response', id, key };
  return { kind: key === undefined ? 'notification' : 'request', id, key };
}

const SPACES = String.raw`[ \t\r\n]*`;
const STRING = String.raw`"(?:[^"\\]|\\.)*"`;
const MEMBER = String.raw`[,{]${SPACES}(${STRING})${SPACES}:${SPACES}(${STRING}|-?\d[\d.eE+-]*|true|false|null)${SPACES}`;
const LAST_MEMBERS = new RegExp(String.raw`(?:${MEMBER})+\}${SPACES}$`);

/**
 * Reads the members at the end of a message, back to the last whose value is an object or an array. They are reliable: the last brace
 * closes the message, and a quote inside a string would be escaped.
 */
function lastMembers(tail: string): (readonly [name: string | undefined, text: string])[] {
  const found = LAST_MEMBERS.exec(tail)?.[0] ?? '';
  return [...found.matchAll(new RegExp(MEMBER, 'g'))].map(([, name = '', text = '']) => [readString(name), text]);
}

/** Builds the notification that cancels a request. `id` is written as JSON. */
export function cancellation(id: string, reason?: string): Buffer {
  const more = reason === undefined ? '' : `,"reason":${JSON.stringify(reason)}`;
  return Buffer.from(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}${more}}}`);
}

/** Builds the answer to a server's `ping`. */
export function emptyResult(id: string): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{}}`);
}

/** Builds the answer to a server's request that no client can answer. */
export function methodNotFound(id: string): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"Method not found"}}`);
}

/** Builds the answer to a server's request that is too long to be passed on. */
export function requestTooLarge(id: string): Buffer {
  const message = 'The request is over the limit (maxMessageBytes)';
  return Buffer.from(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32603,"message":"${message}"}}`);
}

// Parsers differ: of two members with one name, some use the first, some the last, and some ignore capitals. The child may read
// another value than the one that was checked here (GHSA-4gph-2hhr-5mwg).
function refuseAmbiguous(members: JsonMembers, known: KnownNames, id: string | undefined): void {
  const seen = new Set<string>();
  for (const { name } of members.list) {
    const folded = foldName(name);
    if (seen.has(folded) || isAmbiguousName(name, known)) throw new BridgeError('ambiguous_message', { id });
    seen.add(folded);
  }
}

function refuseAmbiguousIn(message: RpcMessage, where: string, known: KnownNames): void {
  const inner = membersAt(message, where);
  if (inner === undefined) return;
  refuseAmbiguous(inner, known, message.id);
  const meta = membersAt({ bytes: message.bytes, members: inner }, '_meta');
  if (meta !== undefined) refuseAmbiguous(meta, META_NAMES, message.id);
}

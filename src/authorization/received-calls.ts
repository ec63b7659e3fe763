import type { IncomingHttpHeaders } from 'node:http';
import { BodyError } from '../http/body.js';
import { isRecord } from '../http/json-object.js';
import { matchesNameHeader } from '../messages/header-value.js';
import { foldName } from '../messages/json-members.js';
import { isTargeted, type McpCall, METHODS, TARGET_MEMBERS, targetMember } from '../messages/mcp-call.js';
import { parseStrictJson } from '../messages/strict-json.js';
import { MessageError } from './message-error.js';
import { spellName } from './spellings.js';

/** A call as it came. */
export interface ReceivedCall extends McpCall {
  /** Whom an answer goes to; undefined for a notification. */
  readonly id: string | number | undefined;
}

/** The messages of one body. */
export interface ReceivedBody {
  readonly isBatch: boolean;
  readonly calls: readonly ReceivedCall[];
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses a body of which every reader makes the same: valid UTF-8 without a byte order mark, no member twice.
 *
 * @throws {MessageError}
 */
export function parseReceivedBody(bytes: Buffer): unknown {
  try {
    return parseStrictJson(UTF8.decode(bytes));
  } catch {
    // The parser's message would quote the body; and nesting that exhausts the stack is as unusable as a stray brace.
    throw new MessageError('malformed_json');
  }
}

/** Each message is held against the rules: a body of nothing but tiny calls must not cost seconds. */
const MOST_MESSAGES = 1_000;

/** Bytes, of a target and of a method: to spell out a longer one in every way would keep the process from its other work. */
const LONGEST_TEXT = 8192;

/** Bytes, of all targets of a batch. */
const LONGEST_TEXTS = 65_536;

/**
 * The calls in a body, each with the target that its rules are looked up by.
 *
 * @throws {MessageError} Where a message could be read in more than one way.
 * @throws {BodyError} Where there are too many.
 */
export function readCalls(value: unknown): ReceivedBody {
  if (!Array.isArray(value)) return { isBatch: false, calls: readCall(value) };
  if (value.length === 0) throw new MessageError('not_json_rpc');
  if (value.length > MOST_MESSAGES) throw new BodyError(413, `The batch has more than ${MOST_MESSAGES} messages`);
  const calls = value.flatMap(readCall);
  const size = calls.reduce((sum, { target = '' }) => sum + Buffer.byteLength(target), 0);
  if (size > LONGEST_TEXTS) throw new BodyError(413, `The names in the batch are longer than ${LONGEST_TEXTS} bytes`);
  return { isBatch: true, calls };
}

const ENVELOPE = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'];
const PARAMS = [...TARGET_MEMBERS, 'arguments', '_meta'];

/** None for a client's response to the server, which calls nothing. */
function readCall(value: unknown): ReceivedCall[] {
  const message = requireObject(value);
  requireCanonicalNames(message, ENVELOPE);
  const { id, method, params = {} } = message;
  if (method === undefined && ('result' in message || 'error' in message)) return [];
  if (typeof method !== 'string') throw new MessageError('not_json_rpc');
  requirePlainMethod(method);
  const members = requireObject(params);
  requireCanonicalNames(members, PARAMS);
  const known = typeof id === 'string' || typeof id === 'number' ? id : undefined;
  return [{ id: known, method, target: targetOf(method, members), params: members }];
}

function requireObject(value: unknown): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  throw new MessageError('not_json_rpc');
}

/** A server that takes `Tools/Call` for `tools/call` would carry out what no rule by name was held against. */
function requirePlainMethod(method: string): void {
  if (isTooLong(method)) throw new MessageError('not_json_rpc');
  const folded = spellName(method);
  if (folded !== method && METHODS.some((known) => spellName(known) === folded && known !== method)) {
    throw new MessageError('ambiguous_message');
  }
}

/** Go's parser takes `Name` for `name`, and the later of the two. */
function requireCanonicalNames(object: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  for (const key in object) {
    if (names.includes(key)) continue;
    const folded = foldName(key);
    if (names.some((name) => foldName(name) === folded)) throw new MessageError('ambiguous_message');
  }
}

function isTooLong(text: string): boolean {
  return Buffer.byteLength(text) > LONGEST_TEXT;
}

/** In a URI, encoded once or more often, also as Java and some C programs write it. */
const ENCODED_NUL = /%(?:25)*(?:00|c0%(?:25)*80)/i;

function targetOf(method: string, params: Readonly<Record<string, unknown>>): string | undefined {
  const member = targetMember(method);
  if (member === undefined || !isTargeted(method)) return undefined;
  const target = params[member];
  // Some read a string up to its first NUL, others read all of it.
  if (typeof target !== 'string' || isTooLong(target) || /\p{Cc}/u.test(target))
    throw new MessageError('unusable_target');
  if (member === 'uri' && ENCODED_NUL.test(target)) throw new MessageError('unusable_target');
  return target;
}

/**
 * Holds the headers of MCP 2026-07-28 against the body: a router in front may have gone by them.
 *
 * @throws {MessageError} `header_mismatch`
 */
export function requireMatchingHeaders({ isBatch, calls }: ReceivedBody, headers: IncomingHttpHeaders): void {
  const method = headers['mcp-method'];
  const name = headers['mcp-name'];
  if (method === undefined && name === undefined) return;
  const [call] = calls;
  const matches =
    !isBatch && call !== undefined && (method === undefined || method === call.method) && matchesNameHeader(name, call);
  if (!matches) throw new MessageError('header_mismatch');
}

import type { IncomingHttpHeaders } from 'node:http';
import { BodyError } from '../http/body.js';
import { isRecord } from '../http/json-object.js';
import { canonicalName } from './canonical-names.js';
import { matchesNameHeader } from './header-value.js';
import { JsonBoundError, MAX_MESSAGES } from './json-bounds.js';
import {
  ENVELOPE_NAMES,
  isAmbiguousName,
  isReadDifferently,
  type KnownNames,
  META_NAMES,
  PARAM_NAMES,
} from './known-names.js';
import { isTargeted, type McpCall, METHODS, type TargetedMethod, targetMember } from './mcp-call.js';
import { MessageError } from './message-refusal.js';
import { DuplicateMemberError, parseStrictJson } from './strict-json.js';

/** A call, as received. */
export interface ReceivedCall extends McpCall {
  /** The id that the answer must carry; undefined for a notification. */
  readonly id: string | number | undefined;
}

/** The messages of one body. */
export interface ReceivedBody {
  readonly isBatch: boolean;
  readonly calls: readonly ReceivedCall[];
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses a body that all JSON parsers read alike: valid UTF-8 without a byte order mark, and no duplicate members.
 *
 * @throws {MessageError}
 */
export function parseReceivedBody(bytes: Buffer): unknown {
  try {
    return parseStrictJson(UTF8.decode(bytes));
  } catch (error) {
    // The parser's own message quotes the body, so it is not passed on.
    const hasReason = error instanceof JsonBoundError || error instanceof DuplicateMemberError;
    throw new MessageError(hasReason ? error.reason : 'malformed_json');
  }
}

/** Bytes of a target or a method. Comparing every spelling of a longer one would block the process. */
const MAX_TEXT_LENGTH = 8192;

/** Bytes of all targets in a batch. */
const MAX_TEXTS_LENGTH = 65_536;

/**
 * Reads the calls in a body, each with the target by which its rules are found.
 *
 * @throws {MessageError} If a message is not JSON-RPC or could be read in more than one way, or a batch has more than 1,000 messages.
 * @throws {BodyError} If the targets of a batch are too long in total.
 */
export function readCalls(value: unknown): ReceivedBody {
  if (!Array.isArray(value)) return { isBatch: false, calls: readCall(value) };
  if (value.length === 0) throw new MessageError('not_json_rpc');
  if (value.length > MAX_MESSAGES) throw new MessageError('too_many_messages');
  const calls = value.flatMap(readCall);
  const size = calls.reduce((sum, { target = '' }) => sum + Buffer.byteLength(target), 0);
  if (size > MAX_TEXTS_LENGTH)
    throw new BodyError(
      413,
      `The tool, prompt and resource names in the batch exceed ${MAX_TEXTS_LENGTH} bytes in total`,
    );
  return { isBatch: true, calls };
}

/** Returns no call for a client's response to the server. */
function readCall(value: unknown): ReceivedCall[] {
  const message = requireObject(value);
  requirePlainNames(message, ENVELOPE_NAMES);
  const { id, method, params = {} } = message;
  if (method === undefined && ('result' in message || 'error' in message)) return [];
  if (typeof method !== 'string') throw new MessageError('not_json_rpc');
  requirePlainMethod(method);
  const members = requireObject(params);
  requirePlainNames(members, PARAM_NAMES);
  requirePlainNames(members._meta, META_NAMES);
  // Rules that are functions may look at the arguments.
  if (isRecord(members.arguments) && Object.keys(members.arguments).some(isReadDifferently)) {
    throw new MessageError('ambiguous_message');
  }
  const known = typeof id === 'string' || typeof id === 'number' ? id : undefined;
  return [{ id: known, method, target: targetOf(method, members), params: members }];
}

function requireObject(value: unknown): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  throw new MessageError('not_json_rpc');
}

/** A server that reads `Tools/Call` as `tools/call` would run a call that no rule was applied to. */
function requirePlainMethod(method: string): void {
  if (isTooLong(method)) throw new MessageError('not_json_rpc');
  if (isReadDifferently(method)) throw new MessageError('ambiguous_message');
  const folded = canonicalName(method);
  if (folded !== method && METHODS.some((known) => canonicalName(known) === folded && known !== method)) {
    throw new MessageError('ambiguous_message');
  }
}

function requirePlainNames(object: unknown, known: KnownNames): void {
  if (!isRecord(object)) return;
  for (const name in object) if (isAmbiguousName(name, known)) throw new MessageError('ambiguous_message');
}

function isTooLong(text: string): boolean {
  return Buffer.byteLength(text) > MAX_TEXT_LENGTH;
}

/** A NUL in a URI: percent-encoded once or repeatedly, or in the overlong form (`%c0%80`) of Java and some C programs. */
const ENCODED_NUL = /%(?:25)*(?:00|c0%(?:25)*80)/i;

/** Returns the target of a method; undefined if it is not a usable name, which all servers read alike. */
export function usableTarget(method: TargetedMethod, target: unknown): string | undefined {
  if (typeof target !== 'string' || isTooLong(target) || isReadDifferently(target)) return undefined;
  return targetMember(method) === 'uri' && ENCODED_NUL.test(target) ? undefined : target;
}

function targetOf(method: string, params: Readonly<Record<string, unknown>>): string | undefined {
  if (!isTargeted(method)) return undefined;
  const target = usableTarget(method, params[targetMember(method) as string]);
  if (target === undefined) throw new MessageError('unusable_target');
  return target;
}

/**
 * Compares the headers of MCP 2026-07-28 with the body: a router in front may have relied on the headers.
 *
 * @throws {MessageError} `header_mismatch`, if they differ.
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

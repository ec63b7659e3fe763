import { REQUEST_ID_HEADER } from '../../core/request-id.js';
import { encodeHeaderValue } from '../../messages/header-value.js';
import { memberOf, textOf } from '../../messages/json-members.js';
import { membersAt, type RpcMessage, readString } from '../../messages/json-rpc.js';
import { targetMember } from '../../messages/mcp-call.js';
import { TRACE_KEYS } from '../../messages/meta-edit.js';
import { VERSION_KEY } from '../../messages/revision.js';
import type { Sender } from '../connection.js';
import type { HeaderRecord } from './exchange.js';

/** The state of a connection that its requests carry. */
export interface ConnectionHeaders {
  readonly sessionId: string | undefined;
  /** The revision that a session speaks. */
  readonly revision: string | undefined;
  /** The headers that say who is calling. */
  readonly caller: HeaderRecord;
}

/** Returns the revision in the `_meta` of a message (2026-07-28); undefined if it names none. */
export function versionIn(message: RpcMessage): string | undefined {
  const version = memberOf(membersAt(message, 'params', '_meta'), VERSION_KEY);
  return version && readString(textOf(message.bytes, version));
}

/** Builds the headers of a POST that carries `message`: names and values, alternating. */
export function headersOfMessage(
  message: RpcMessage,
  connection: ConnectionHeaders,
  { parameters = [], requestId, revision, trace }: Omit<Sender, 'auth'>,
): string[] {
  // A session has the revision that it was opened with.
  const version = versionIn(message) ?? (connection.revision === undefined ? revision : undefined);
  const headers = headersOf('application/json, text/event-stream', {
    ...connection,
    // A session begins with this request.
    sessionId: message.method === 'initialize' ? undefined : connection.sessionId,
    revision: version ?? connection.revision,
  });
  if (requestId !== undefined && !connection.caller.has(REQUEST_ID_HEADER)) headers.push(REQUEST_ID_HEADER, requestId);
  for (const name of TRACE_KEYS) {
    const value = trace?.[name];
    if (value !== undefined && !connection.caller.has(name)) headers.push(name, value);
  }
  headers.push('content-type', 'application/json', 'content-length', String(message.bytes.length));
  // Revisions with sessions have no such headers.
  if (version !== undefined) {
    headers.push('mcp-method', encodeHeaderValue(message.method), ...nameOf(message), ...parameters);
  }
  return headers;
}

/** Builds the headers of a GET, which opens or resumes an event stream. */
export function headersOfStream(connection: ConnectionHeaders, lastEventId: string | undefined): string[] {
  const headers = headersOf('text/event-stream', connection);
  if (lastEventId !== undefined) headers.push('last-event-id', lastEventId);
  return headers;
}

/** The headers that a connection writes itself: those of `caller` with these names are left out. */
const OWN = new Set(['accept', 'content-type', 'last-event-id', 'mcp-protocol-version', 'mcp-method', 'mcp-name']);

function headersOf(accept: string, connection: ConnectionHeaders): string[] {
  return ['accept', accept, 'accept-encoding', 'identity', ...headersOfSession(connection)];
}

/**
 * Builds the headers that every request in a session has; those of a DELETE are complete. Without its revision, servers assume 2025-03-26,
 * which not all of them speak.
 */
export function headersOfSession({ sessionId, revision, caller }: ConnectionHeaders): string[] {
  const headers: string[] = [];
  if (sessionId !== undefined) headers.push('mcp-session-id', sessionId);
  if (revision !== undefined) headers.push('mcp-protocol-version', revision);
  for (const [name, value] of caller) if (value !== undefined && !OWN.has(name)) headers.push(name, value);
  return headers;
}

function nameOf(message: RpcMessage): string[] {
  const member = memberOf(membersAt(message, 'params'), targetMember(message.method) ?? '');
  const name = member && readString(textOf(message.bytes, member));
  return name === undefined ? [] : ['mcp-name', encodeHeaderValue(name)];
}

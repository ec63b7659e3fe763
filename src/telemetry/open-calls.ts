import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuthInfo, getAuth } from '../core/auth-info.js';
import { type SessionOwner, sessionOwnerOf } from '../core/session-owner.js';
import { onceClosed } from '../http/hang-up.js';
import type { ReceivedCall } from '../messages/calls-in-body.js';
import { keyOfId } from '../messages/json-rpc.js';
import type { ObservedCalls } from './observe-calls.js';
import type { CallEnd, ObservedCall } from './observed-call.js';
import { endOfRefusal } from './outcomes.js';

/** The last request that was added. A linked list: a `Map` would get a new table every few requests, which costs microseconds. */
let last: OpenRequest | undefined;

/** The calls of one request to a session of an MCP server in this app, whose answer has not ended. */
class OpenRequest {
  readonly #req: IncomingMessage;
  readonly #session: string;
  readonly #calls: ObservedCalls;
  /** The request that was added before it. */
  #before: OpenRequest | undefined;
  #after: OpenRequest | undefined;

  constructor(req: IncomingMessage, session: string, calls: ObservedCalls) {
    this.#req = req;
    this.#session = session;
    this.#calls = calls;
    this.#before = last;
    if (last !== undefined) last.#after = this;
    last = this;
  }

  get before(): OpenRequest | undefined {
    return this.#before;
  }

  /** Removes it from the list. Its own links are cleared too, since a removed one would keep others in memory. */
  remove(): void {
    const [before, after] = [this.#before, this.#after];
    if (before !== undefined) before.#after = after;
    if (after !== undefined) after.#before = before;
    else if (last === this) last = before;
    this.#before = undefined;
    this.#after = undefined;
  }

  /** Returns the calls that have not ended, if they belong to this session and owner. A backend ends its calls itself. */
  callsOf(session: string, owner: SessionOwner): readonly ObservedCall[] {
    const isMeant = this.#session === session && !this.#calls.isReported && ownerOf(this.#req) === owner;
    return isMeant ? this.#calls.values().filter(({ isOver }) => !isOver) : NONE;
  }
}

const NONE: readonly ObservedCall[] = [];

/** Stores the calls of a request, so that a later request can cancel them. Returns undefined if they have no session. */
export function addOpenRequest(req: IncomingMessage, calls: ObservedCalls): Pick<OpenRequest, 'remove'> | undefined {
  const session = sessionOf(req);
  return session === undefined ? undefined : new OpenRequest(req, session, calls);
}

/**
 * Ends the open calls that a request cancels, once the MCP server has accepted it: those that it names in `notifications/cancelled`, and all calls
 * of a session that it deletes. Only the owner of the session, who made the calls, can cancel them.
 */
export function noteCancellation(req: IncomingMessage, res: ServerResponse, messages: readonly ReceivedCall[]): void {
  if (last === undefined) return;
  if (req.method === 'DELETE') endWhenAccepted(res, openCallsOf(req), endOfRefusal('session_ended'));
  const keys = cancelledKeys(messages);
  if (keys.size === 0) return;
  const calls = openCallsOf(req).filter(({ start }) => keys.has(start.key));
  endWhenAccepted(res, calls, endOfRefusal('cancelled'));
}

/** The ids that the messages cancel, in the spelling of `keyOf()`. */
function cancelledKeys(messages: readonly ReceivedCall[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { method, params } of messages) {
    const key = method === 'notifications/cancelled' ? keyOfId(params.requestId) : undefined;
    if (key !== undefined) keys.add(key);
  }
  return keys;
}

function endWhenAccepted(res: ServerResponse, open: readonly ObservedCall[], end: CallEnd): void {
  // Each middleware that reads the request notes it.
  const calls = open.filter(({ cancellation }) => cancellation === undefined);
  if (calls.length === 0) return;
  // The server may end the answer of the call first.
  for (const call of calls) call.cancellation = end;
  onceClosed(res, () => {
    const isAccepted = res.headersSent && res.statusCode < 300;
    for (const call of calls) {
      if (isAccepted) call.end(end);
      else call.cancellation = undefined;
    }
  });
}

/** The open calls of the session that a request names, made by the same owner. */
function openCallsOf(req: IncomingMessage): readonly ObservedCall[] {
  const session = sessionOf(req);
  const owner = ownerOf(req);
  if (session === undefined || owner === undefined) return NONE;
  const found: ObservedCall[] = [];
  for (let each = last; each !== undefined; each = each.before) found.push(...each.callsOf(session, owner));
  return found;
}

/** The server's own id: an `mcpAuth()` that signs ids has replaced the client's. */
function sessionOf({ headers }: IncomingMessage): string | undefined {
  return headers['mcp-session-id']?.toString() || undefined;
}

function ownerOf(req: IncomingMessage): SessionOwner | undefined {
  let auth: AuthInfo | undefined;
  try {
    auth = getAuth(req);
  } catch {
    // Another middleware replaced the request object, so its caller is not known.
    return undefined;
  }
  return sessionOwnerOf(req, auth);
}

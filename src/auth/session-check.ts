import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthInfo } from '../core/auth-info.js';
import type { Logger } from '../core/logger.js';
import { isOwnedSession, ownSessionIds, takeSessionNote } from '../core/own-sessions.js';
import { userOf } from '../core/principal.js';
import { createRareLine } from '../core/rare-line.js';
import { isSessionId, type SessionOwner, sessionOwnerOf } from '../core/session-owner.js';
import { type Claim, SessionOwners } from '../core/session-owners.js';
import type { SessionSigner } from '../core/session-signer.js';
import { isAnswered } from '../http/answered.js';
import { hasHungUp, onceClosed } from '../http/hang-up.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { visitHeader } from '../http/outgoing-header.js';
import { BridgeError } from '../messages/bridge-error.js';
import { namesStatelessRevision } from '../messages/revision.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';

/** Returns the refusal to answer with where a request names a session that is not its caller's. */
export type SessionCheck = (
  req: IncomingMessage,
  res: ServerResponse,
  auth: AuthInfo | undefined,
) => SessionRefusal | undefined;

/** One request that names a session, or may open one. */
interface SessionRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly owner: SessionOwner;
  /** Undefined: it names none. */
  readonly id: string | undefined;
}

const HEADER = 'mcp-session-id';

/** Answered as our own backends answer for a session that they do not know: nothing says that there is one. */
export class SessionRefusal extends BridgeError {
  declare readonly reason: 'unknown_session';

  constructor() {
    super('unknown_session');
  }
}

const SHARED_ID =
  'mcpAuth(): the MCP server gave a caller the id of a session that belongs to another caller, who keeps it (sessionOwners); session ids must be unique';
const UNKNOWN_SESSION = new SessionRefusal();

/** Keeps the sessions of MCP servers in the same app apart. Requests that neither name a session nor may open one pay nothing. */
export function createSessionCheck(
  { sessionOwners, secrets, logger }: Pick<ResolvedAuth, 'sessionOwners' | 'secrets' | 'logger'>,
  signer: SessionSigner | undefined,
): SessionCheck {
  if (sessionOwners === 'off') return () => undefined;
  const isSigned = sessionOwners === 'sign' && signer !== undefined;
  const check = isSigned ? createSignedCheck(signer, secrets.length > 1) : createRememberingCheck(logger);
  return (req, res, auth) => {
    const id = req.headers[HEADER]?.toString() || undefined;
    if (id === undefined && (req.method !== 'POST' || namesStatelessRevision(req))) return undefined;
    if (id !== undefined && !isSessionId(id)) return UNKNOWN_SESSION;
    if (id !== undefined && ownSessionIds.has(id)) return undefined;
    const owner = sessionOwnerOf(req, auth);
    if (id !== undefined && isOwnedSession(id, owner)) return undefined;
    return check({ req, res, owner, id }, () => userOf(auth) ?? 'anonymous');
  };
}

type Check = (request: SessionRequest, user: () => string) => SessionRefusal | undefined;

/** This process remembers who opened which session, or was the first to name it. */
function createRememberingCheck(logger: Logger): Check {
  const owners = new SessionOwners();
  const warn = createRareLine((line) => logger.warn(line));
  return ({ res, owner, id }, user) => {
    const named = id === undefined ? undefined : owners.name(id, owner, user);
    if (named === 'foreign') return UNKNOWN_SESSION;
    if (named === 'known') return undefined;
    const settle = named && settleOnce(res, named);
    // Backends of our own check the owners of their sessions themselves: what is noted of a few of them here changes nothing.
    visitHeader(res, HEADER, (value, status) => {
      settle?.(status < 400);
      const isOwn = !value || ownSessionIds.has(value) || isOwnedSession(value, owner);
      if (!isOwn && !owners.assign(value, owner, user)) warn(SHARED_ID);
      return value;
    });
    return undefined;
  };
}

/** A request that is never answered claims nothing. */
function settleOnce(res: ServerResponse, claim: Claim): Claim {
  let isSettled = false;
  const settle: Claim = (isKept) => {
    if (isSettled) return;
    isSettled = true;
    claim(isKept);
  };
  if (isAnswered(res) || hasHungUp(res)) settle(false);
  else onceClosed(res, () => settle(false));
  return settle;
}

/**
 * Clients have ids that are signed together with their owners, and the server has its own.
 *
 * @param isRotating Ids may be signed with another secret than the first: each answer brings the new signature.
 */
function createSignedCheck(signer: SessionSigner, isRotating: boolean): Check {
  return ({ req, res, owner, id }) => {
    const note = takeSessionNote(req);
    // An mcpAuth() before this one has taken its signature off. The last one decides, since its identity is the one that counts.
    const presented = note.signed?.presented ?? id;
    const own = presented === undefined ? undefined : signer.verify(presented, owner);
    if (presented !== undefined && own === undefined) return UNKNOWN_SESSION;
    const signed = { signer, presented, id: own };
    note.signed = signed;
    if (own !== undefined) replaceId(req, own);
    visitHeader(res, HEADER, (value) => {
      if (!value || note.isOwn || note.signed !== signed) return value;
      return value === own && !isRotating ? presented : signer.sign(value, owner);
    });
    return undefined;
  };
}

/** In both places that servers read: SDK v2 reads the second. */
function replaceId(req: IncomingMessage, id: string): void {
  req.headers[HEADER] = id;
  const raw = req.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length === HEADER.length && lowerAscii(name) === HEADER) raw[i + 1] = id;
  }
}

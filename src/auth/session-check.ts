import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthInfo } from '../core/auth-info.js';
import type { Logger } from '../core/logger.js';
import { isRemoteSessionOwner, ownSessionIds, sessionNoteFor } from '../core/own-sessions.js';
import { userOf } from '../core/principal.js';
import { createRareLine } from '../core/rare-line.js';
import { isSessionId, sessionOwnerAt } from '../core/session-owner.js';
import { type SessionClaim, SessionOwners } from '../core/session-owners.js';
import type { SessionSigner } from '../core/session-signer.js';
import { isAnswered } from '../http/answered.js';
import { hasHungUp, onceClosed } from '../http/hang-up.js';
import { isHeaderNamed } from '../http/head-headers.js';
import { dropFromOtherParts, visitHeader } from '../http/outgoing-header.js';
import { requestTarget } from '../http/request-target.js';
import { BridgeError } from '../messages/bridge-error.js';
import { namesStatelessRevision } from '../messages/revision.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';

/** Returns the refusal for a request that names another caller's session. */
export type SessionCheck = (
  req: IncomingMessage,
  res: ServerResponse,
  auth: AuthInfo | undefined,
) => SessionRefusal | undefined;

/** One request that names a session, or may open one. */
interface SessionRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly auth: AuthInfo | undefined;
  /** The target on arrival. The owner of a session is computed from it and `auth` only when it is needed: most requests have no session. */
  readonly target: string;
  /** Undefined: the request names no session. */
  readonly id: string | undefined;
}

const HEADER = 'mcp-session-id';

/** The answer of our own backends for a session that they do not know. It does not reveal that the session exists. */
export class SessionRefusal extends BridgeError {
  declare readonly reason: 'unknown_session';

  constructor() {
    super('unknown_session');
  }
}

const SHARED_ID =
  'mcpAuth(): the MCP server gave a caller the id of a session that belongs to another caller, who keeps it (sessionOwners); session ids must be unique';
const UNKNOWN_SESSION = new SessionRefusal();

/** Creates the check that a session of an MCP server in the same app serves only its owner. Other requests cost nothing. */
export function createSessionCheck(
  { sessionOwners, secrets, logger }: Pick<ResolvedAuth, 'sessionOwners' | 'secrets' | 'logger'>,
  signer: SessionSigner | undefined,
): SessionCheck {
  if (sessionOwners === 'off') return () => undefined;
  const isSigned = sessionOwners === 'sign' && signer !== undefined;
  const check = isSigned ? createSignedCheck(signer, secrets.length > 1) : createRememberingCheck(logger);
  return (req, res, auth) => {
    const id = req.headers[HEADER]?.toString() || undefined;
    // A client may name a stateless revision in the header and still send `initialize`. With signing, the answer to that must carry a signed id.
    const mayOpen = req.method === 'POST' && (isSigned || !namesStatelessRevision(req));
    if (id === undefined && !mayOpen) return undefined;
    if (id !== undefined && !isSessionId(id)) return UNKNOWN_SESSION;
    if (id !== undefined && ownSessionIds.has(id)) return undefined;
    const target = requestTarget(req);
    if (id !== undefined && isRemoteSessionOwner(id, sessionOwnerAt(target, auth))) return undefined;
    return check({ req, res, auth, target, id });
  };
}

type Check = (request: SessionRequest) => SessionRefusal | undefined;

/** Creates the check that remembers who opened a session, or who was the first to name it. */
function createRememberingCheck(logger: Logger): Check {
  const owners = new SessionOwners();
  const warn = createRareLine((line) => logger.warn(line));
  return ({ res, auth, target, id }) => {
    const user = (): string => userOf(auth) ?? 'anonymous';
    const named = id === undefined ? undefined : owners.name(id, sessionOwnerAt(target, auth), user);
    if (named === 'foreign') return UNKNOWN_SESSION;
    if (named === 'known') return undefined;
    const settle = named && settleOnce(res, named);
    // Our own backends check the owners of their sessions themselves, so their ids are not stored here.
    visitHeader(res, HEADER, (value, status) => {
      settle?.(status < 400);
      if (!value || ownSessionIds.has(value)) return value;
      const owner = sessionOwnerAt(target, auth);
      if (!isRemoteSessionOwner(value, owner) && !owners.assign(value, owner, user)) warn(SHARED_ID);
      return value;
    });
    return undefined;
  };
}

/** Returns a function that settles a claim once. If the client hangs up before the answer, the claim lapses. */
function settleOnce(res: ServerResponse, claim: SessionClaim): SessionClaim {
  let isSettled = false;
  const settle: SessionClaim = (isKept) => {
    if (isSettled) return;
    isSettled = true;
    claim(isKept);
  };
  if (isAnswered(res) || hasHungUp(res)) settle(false);
  else onceClosed(res, () => settle(false));
  return settle;
}

/**
 * Creates the check that gives clients ids signed together with their owners. The server sees only its own ids.
 *
 * @param isRotating True if an older secret may have signed an id: then each answer carries the new signature.
 */
function createSignedCheck(signer: SessionSigner, isRotating: boolean): Check {
  return ({ req, res, auth, target, id }) => {
    const owner = sessionOwnerAt(target, auth);
    const note = sessionNoteFor(req);
    // An mcpAuth() before this one may have removed the signature. The last one decides, because its AuthInfo is the one in use.
    const presented = note.signed?.presented ?? id;
    const own = presented === undefined ? undefined : signer.verify(presented, owner);
    if (presented !== undefined && own === undefined) return UNKNOWN_SESSION;
    const signed = { signer, presented, id: own };
    note.signed = signed;
    if (own !== undefined) replaceId(req, own);
    dropFromOtherParts(res, HEADER);
    visitHeader(res, HEADER, (value) => {
      if (!value || note.isOwn || note.signed !== signed) return value;
      return value === own && !isRotating ? presented : signer.sign(value, owner);
    });
    return undefined;
  };
}

/** Writes the id to `headers` and to `rawHeaders`, which SDK v2 reads. */
function replaceId(req: IncomingMessage, id: string): void {
  req.headers[HEADER] = id;
  const raw = req.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) if (isHeaderNamed(raw[i], HEADER)) raw[i + 1] = id;
}

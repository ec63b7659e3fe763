import { isAnswered } from '../../http/answered.js';
import { onceClosed } from '../../http/hang-up.js';
import { replyEmpty } from '../../http/reply.js';
import { BridgeError } from '../../messages/bridge-error.js';
import type { ClientMessage } from '../../messages/json-rpc.js';
import { type MetaRules, withMeta } from '../../messages/meta-edit.js';
import { BATCH_REVISION, SESSION_REVISIONS } from '../../messages/revision.js';
import { type AcceptedForms, acceptedForms, requireAcceptedForms } from '../answers/accepted-forms.js';
import { tryWrite } from '../answers/open-answer.js';
import { PostResponse } from '../answers/post-response.js';
import { type BridgeRequest, senderOf } from '../bridge-request.js';
import type { Drain } from '../drain.js';
import type { Session } from './session.js';
import type { Sessions } from './sessions.js';

/** Answers the HTTP requests of the revisions with sessions (up to 2025-11-25). */
export class SessionExchange {
  readonly #sessions: Sessions;
  readonly #metaRules: MetaRules;
  readonly #drain: Drain;

  constructor(sessions: Sessions, metaRules: MetaRules, drain: Drain) {
    this.#sessions = sessions;
    this.#metaRules = metaRules;
    this.#drain = drain;
  }

  /**
   * Finds the session that a request names.
   *
   * @throws {BridgeError} If the id is missing, unknown or that of another principal's session.
   */
  session({ req, auth, principal }: BridgeRequest): Session {
    const id = req.headers['mcp-session-id'];
    if (id === undefined) throw new BridgeError('missing_session');
    const session = this.#sessions.find(String(id), principal);
    const version = req.headers['mcp-protocol-version'];
    if (version !== undefined && version !== session.revision && !SESSION_REVISIONS.has(String(version))) {
      throw new BridgeError('unsupported_version');
    }
    session.latestToken.renew(auth);
    return session;
  }

  /** POST: requests are answered when the MCP server answers them; other messages get 202 at once. */
  post(request: BridgeRequest, messages: readonly ClientMessage[], batch: boolean): void {
    const opening = messages.find(({ method, kind }) => method === 'initialize' && kind === 'request');
    if (opening !== undefined) this.#initialize(request, opening, batch);
    else this.#send(request, messages, batch);
  }

  /** GET: opens the standalone stream, or resumes a broken one. */
  get(request: BridgeRequest): void {
    const session = this.session(request);
    const lastEventId = request.req.headers['last-event-id']?.toString();
    if (!session.hasCalls && !session.streams.canFinish(lastEventId)) this.#drain.requireOpen();
    if (!acceptedForms(request.req).stream) throw new BridgeError('not_acceptable');
    session.streams.resume(lastEventId, request);
  }

  /** DELETE: ends the session and its connection. */
  delete(request: BridgeRequest): void {
    this.session(request).end('session_ended');
    tryWrite(request, () => replyEmpty(request.res, 200, { 'content-length': 0 }));
  }

  #send(request: BridgeRequest, messages: readonly ClientMessage[], batch: boolean): void {
    const session = this.session(request);
    if (batch && session.revision !== BATCH_REVISION) throw new BridgeError('batch_not_supported');
    const requests = messages.filter(({ kind }) => kind === 'request');
    if (requests.length === 0) {
      this.#sendOthers(session, messages, request);
      tryWrite(request, () => replyEmpty(request.res, 202));
      return;
    }
    const accepted = requireAcceptedForms(request.req);
    const { metaRule: rule } = request;
    // No `await` from here on: meanwhile another POST with the same ids could be accepted.
    session.requireRoom(requests);
    this.#sendOthers(session, messages, request);
    const response = this.#createResponse(request, session, { ...accepted, responses: requests.length, batch });
    if (response.hasFailed) return;
    for (const message of requests)
      session.request(message, response, withMeta(message, rule), request.calls?.claim(message.key));
  }

  #sendOthers(session: Session, messages: readonly ClientMessage[], request: BridgeRequest): void {
    const sender = senderOf(request);
    for (const message of messages) {
      if (message.kind !== 'request') session.send(message, withMeta(message, this.#metaRules.forOthers), sender);
    }
  }

  #initialize(request: BridgeRequest, message: ClientMessage, batch: boolean): void {
    const { id } = message;
    if (batch) throw new BridgeError('batch_not_supported', { id });
    if (request.req.headers['mcp-session-id'] !== undefined) {
      this.session(request);
      throw new BridgeError('already_initialized', { id });
    }
    this.#drain.requireOpen(id);
    const accepted = requireAcceptedForms(request.req);
    const { metaRule: rule } = request;
    const session = this.#sessions.open(request);
    let response: PostResponse | undefined;
    onceClosed(request.res, () => {
      // A client that hangs up before the answer has given up: it does not know the session's id. Nor does one that gets an error in its place.
      if (!session.isInitialized || response?.hasFailed || !isAnswered(request.res)) session.end('session_ended');
    });
    response = this.#createResponse(request, session, { ...accepted, responses: 1, batch });
    if (response.hasFailed) return;
    session.request(message, response, withMeta(message, rule), request.calls?.claim(message.key));
  }

  #createResponse(
    request: BridgeRequest,
    session: Session,
    accepted: AcceptedForms & { responses: number; batch: boolean },
  ): PostResponse {
    const opening = !session.isInitialized;
    return new PostResponse({
      ...accepted,
      request,
      ...(opening && {
        // The id of a session that could not be opened is not sent.
        headers: (streams) => (streams || session.isInitialized ? { 'mcp-session-id': session.id } : {}),
      }),
      openStream: () => session.streams.open(),
      pauseFor: (slow) => session.pauseFor(slow),
    });
  }
}

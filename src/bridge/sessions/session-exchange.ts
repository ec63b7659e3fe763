import { isAnswered } from '../../http/answered.js';
import { onceClosed } from '../../http/hang-up.js';
import { BridgeError } from '../../messages/bridge-error.js';
import type { ClientMessage } from '../../messages/json-rpc.js';
import { type MetaRules, withMeta } from '../../messages/meta-edit.js';
import { SESSION_REVISIONS } from '../../messages/revision.js';
import { type AcceptedForms, acceptedForms, requireAcceptedForms } from '../answers/accepted-forms.js';
import { PostResponse } from '../answers/post-response.js';
import type { BridgeRequest } from '../bridge-request.js';
import type { Session } from './session.js';
import type { Sessions } from './sessions.js';

const BATCH_REVISION = '2025-03-26';

/** HTTP requests of the revisions up to 2025-11-25, against the sessions of one backend. */
export class SessionExchange {
  readonly #sessions: Sessions;
  readonly #metaRules: MetaRules;

  constructor(sessions: Sessions, metaRules: MetaRules) {
    this.#sessions = sessions;
    this.#metaRules = metaRules;
  }

  /** The session that a request names; refuses one that is missing, unknown or somebody else's. */
  session({ req, auth, principal }: BridgeRequest): Session {
    const id = req.headers['mcp-session-id'];
    if (id === undefined) throw new BridgeError('missing_session');
    const session = this.#sessions.find(String(id), principal);
    const version = req.headers['mcp-protocol-version'];
    if (version !== undefined && version !== session.revision && !SESSION_REVISIONS.has(String(version))) {
      throw new BridgeError('unsupported_version');
    }
    session.authority.renew(auth);
    return session;
  }

  /** POST: requests are answered when the child has answered, everything else with 202. */
  post(request: BridgeRequest, messages: readonly ClientMessage[], batch: boolean): void {
    const opening = messages.find(({ method, kind }) => method === 'initialize' && kind === 'request');
    if (opening !== undefined) this.#initialize(request, opening, batch);
    else this.#send(request, messages, batch);
  }

  /** GET: the standalone stream, or what a broken stream has left to say. */
  get(request: BridgeRequest): void {
    const session = this.session(request);
    if (!acceptedForms(request.req).stream) throw new BridgeError('not_acceptable');
    const lastEventId = request.req.headers['last-event-id']?.toString();
    session.streams.resume(lastEventId, request.res, request.auth);
  }

  /** DELETE: ends the session and its child. */
  delete(request: BridgeRequest): void {
    this.session(request).end('session_ended');
    request.res.writeHead(200, { 'content-length': 0 }).end();
  }

  #send(request: BridgeRequest, messages: readonly ClientMessage[], batch: boolean): void {
    const session = this.session(request);
    if (batch && session.revision !== BATCH_REVISION) throw new BridgeError('batch_not_supported');
    const requests = messages.filter(({ kind }) => kind === 'request');
    if (requests.length === 0) {
      this.#sendOthers(session, messages);
      request.res.writeHead(202).end();
      return;
    }
    const wanted = requireAcceptedForms(request.req);
    const rule = this.#metaRules.forRequest(request.auth);
    // Nothing may be awaited from here on: another POST would be admitted with the same ids.
    session.requireRoom(requests);
    this.#sendOthers(session, messages);
    const answer = this.#answer(request, session, { ...wanted, responses: requests.length, batch });
    for (const message of requests) session.request(message, answer, withMeta(message, rule));
  }

  #sendOthers(session: Session, messages: readonly ClientMessage[]): void {
    for (const message of messages) {
      if (message.kind !== 'request') session.send(message, withMeta(message, this.#metaRules.forOthers));
    }
  }

  #initialize(request: BridgeRequest, message: ClientMessage, batch: boolean): void {
    const { id } = message;
    if (batch) throw new BridgeError('batch_not_supported', { id });
    if (request.req.headers['mcp-session-id'] !== undefined) {
      this.session(request);
      throw new BridgeError('already_initialized', { id });
    }
    const wanted = requireAcceptedForms(request.req);
    const rule = this.#metaRules.forRequest(request.auth);
    const session = this.#sessions.open(request);
    onceClosed(request.res, () => {
      // A client that hung up before has not learnt the session's id, or gives up a slow start and will start again.
      if (session.revision === '' || !isAnswered(request.res)) session.end('session_ended');
    });
    const answer = this.#answer(request, session, { ...wanted, responses: 1, batch });
    session.request(message, answer, withMeta(message, rule));
  }

  #answer(
    { req, res, auth }: BridgeRequest,
    session: Session,
    wanted: AcceptedForms & { responses: number; batch: boolean },
  ): PostResponse {
    const opening = session.revision === '';
    return new PostResponse({
      ...wanted,
      req,
      res,
      auth,
      ...(opening && {
        // Of a session that did not come about, no client should know the id.
        headers: (streams) => (streams || session.revision !== '' ? { 'mcp-session-id': session.id } : {}),
      }),
      openStream: () => session.streams.open(),
      pauseFor: (slow) => session.pauseFor(slow),
    });
  }
}

import type { HeaderRecord } from '../../targets/http/exchange.js';
import type { HttpTarget } from '../../targets/http/http-target.js';
import { endSession } from '../../targets/http/target-calls.js';
import type { CallerTokens } from './caller-token.js';
import type { RemoteSession, SessionSender } from './remote-sessions.js';

/** The requests in flight that end sessions at a target. */
export class SessionEndings {
  readonly #target: HttpTarget;
  readonly #tokens: CallerTokens | undefined;
  readonly #running = new Set<Promise<void>>();

  constructor(target: HttpTarget, tokens: CallerTokens | undefined) {
    this.#target = target;
    this.#tokens = tokens;
  }

  /** Ends a session at the target. */
  begin(session: RemoteSession): void {
    const ending = this.#end(session);
    this.#running.add(ending);
    void ending.then(() => this.#running.delete(ending));
  }

  /** Resolves when all of them are over. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #end({ id: sessionId, sender }: RemoteSession): Promise<void> {
    const caller = await this.#headersFor(sender);
    // As in other requests, the header of the application counts.
    const isSet = caller.has('mcp-protocol-version');
    const revision = isSet ? caller.get('mcp-protocol-version') : sender.revision;
    const status = await endSession(this.#target, { sessionId, revision, caller });
    // The client may have named a revision that the target does not have, and the session would stay open.
    if (status === 400 && revision !== undefined) {
      await endSession(this.#target, { sessionId, revision: undefined, caller });
    }
  }

  /** The caller token of the last request has expired when an idle session ends. Headers of the application need a request. */
  async #headersFor({ auth, headers }: SessionSender): Promise<HeaderRecord> {
    if (this.#tokens === undefined) return headers;
    try {
      return new Map(headers).set('authorization', await this.#tokens.authorizationFor(auth));
    } catch {
      // No token can be made. If the target refuses the last one, it ends the session when it has been idle.
      return headers;
    }
  }
}

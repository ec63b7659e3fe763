import type { AuthInfo } from '../../core/auth-info.js';
import { isSessionId } from '../../core/session-owner.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { memberOf, textOf } from '../../messages/json-members.js';
import { membersAt, type RpcMessage, readString } from '../../messages/json-rpc.js';
import { headerText, type ResponseHeaders } from './exchange.js';
import type { ConnectionHeaders } from './message-headers.js';
import type { RemoteRecipe } from './remote-recipe.js';
import { endSession, isSessionLost } from './target-calls.js';

/** A revision that can be sent back in a header. */
const REVISION = /^[\w.-]{1,64}$/;
/** Characters. A server must not give out a longer session id. */
const MAX_ID_LENGTH = 1_024;

/** True if a revision that a message names can be sent in a header. */
export function isUsableRevision(revision: string): boolean {
  return REVISION.test(revision);
}

/** True if the session id of a server can be sent back to it. */
export function isUsableId(id: string): boolean {
  return id.length <= MAX_ID_LENGTH && isSessionId(id);
}

/** @throws {BridgeError} If the session id of a server cannot be sent back to it. */
export function requireUsableId(id: string): void {
  if (!isUsableId(id)) throw new BridgeError('target_malformed', { detail: 'the session id is not valid in a header' });
}

/** The session of one connection at a remote server. */
export class TargetSession {
  readonly #recipe: RemoteRecipe;
  #id: string | undefined;
  #revision: string | undefined;
  /** True once the server has accepted a message in the session. */
  #isUsed = false;
  #check: Promise<boolean> | undefined;

  constructor(recipe: RemoteRecipe) {
    this.#recipe = recipe;
  }

  get isOpen(): boolean {
    return this.#id !== undefined;
  }

  /**
   * Remembers the id in the response to `initialize`: a server need not have sessions. Until the server accepts another message, it may refuse
   * all of them for another reason than that it does not know the session.
   *
   * @throws {BridgeError} If the id cannot be used.
   */
  noteAnswer(method: string | undefined, status: number, headers: ResponseHeaders): void {
    if (method !== 'initialize' && status < 400) this.#isUsed = true;
    if (method !== 'initialize' || status >= 300) return;
    const id = headerText(headers['mcp-session-id']);
    if (id !== undefined) requireUsableId(id);
    this.#id = id;
  }

  /** Remembers the revision in the result of `initialize`. */
  readRevision(message: RpcMessage): void {
    const version = memberOf(membersAt(message, 'result'), 'protocolVersion');
    const text = version && readString(textOf(message.bytes, version));
    if (text !== undefined && isUsableRevision(text)) this.#revision = text;
  }

  /** Called when the server no longer knows the session. */
  forget(): void {
    this.#id = undefined;
  }

  /** Asks the server, once for all that ask at a time. Resolves to true if it no longer knows the session. */
  isLost(auth: AuthInfo | undefined): Promise<boolean> {
    this.#check ??= this.#askServer(auth).finally(() => {
      this.#check = undefined;
    });
    return this.#check;
  }

  /** @throws {BridgeError} If the headers that say who is calling cannot be built. */
  async headersFor(auth: AuthInfo | undefined): Promise<ConnectionHeaders> {
    const caller = await this.#recipe.headersFor(auth);
    return { sessionId: this.#id, revision: this.#revision, caller };
  }

  /** Ends the session at the server. */
  async end(auth: AuthInfo | undefined): Promise<void> {
    const sessionId = this.#id;
    this.#id = undefined;
    if (sessionId === undefined) return;
    try {
      await endSession(this.#recipe.target, { ...(await this.headersFor(auth)), sessionId });
    } catch (error) {
      // The application's function failed, and logged it. The server ends the session when it has been idle.
      if (!(error instanceof BridgeError)) throw error;
    }
  }

  async #askServer(auth: AuthInfo | undefined): Promise<boolean> {
    if (!this.isOpen || !this.#isUsed) return false;
    try {
      return await isSessionLost(this.#recipe.target, await this.headersFor(auth));
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      return false;
    }
  }
}

import { requireAuthority } from '../../core/authority.js';
import { isAnswered } from '../../http/answered.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { checkModernRequest, metaOf, VERSION_KEY } from '../../messages/era.js';
import { matchesNameHeader } from '../../messages/header-value.js';
import type { ClientMessage } from '../../messages/json-rpc.js';
import { type MetaRules, withMeta } from '../../messages/meta-edit.js';
import { requireAcceptedForms } from '../answers/accepted-forms.js';
import { Answer } from '../answers/answer.js';
import { EventStream } from '../answers/event-stream.js';
import type { BridgeRequest } from '../bridge-request.js';
import type { SharedChildren } from './shared-children.js';

/** POSTs of the revisions without sessions (2026-07-28), each of which stands alone. */
export class ModernExchange {
  readonly #shared: SharedChildren;
  readonly #metaRules: MetaRules;

  constructor(shared: SharedChildren, metaRules: MetaRules) {
    this.#shared = shared;
    this.#metaRules = metaRules;
  }

  async post(request: BridgeRequest, message: ClientMessage): Promise<void> {
    if (message.kind === 'request') await this.#request(request, message);
    else await this.#notify(request, message);
  }

  async #request({ req, res, auth, principal, since }: BridgeRequest, message: ClientMessage): Promise<void> {
    const { id } = message;
    checkModernRequest(req, message);
    const accepted = requireAcceptedForms(req, id);
    const rule = this.#metaRules.forRequest(auth);
    const child = await this.#shared.get(principal, auth, String(metaOf(message)?.[VERSION_KEY])).catch((error) => {
      throw error instanceof BridgeError ? new BridgeError(error.reason, { id, data: error.data }) : error;
    });
    if (message.method === 'tools/call') await child.toolHeaders.check(req, message, rule?.own);
    const { length } = message.bytes;
    for (let busy = child.ready(since, length); busy; busy = child.ready(since, length)) await busy;
    if (res.destroyed) return;
    requireAuthority(auth);
    child.admit(message);
    const answer = new Answer({
      ...accepted,
      req,
      res,
      auth,
      responses: 1,
      batch: false,
      openStream: () => new EventStream(),
      hold: (slow) => child.holdFor(slow),
    });
    const key = child.request(message, answer, rule);
    // A client that hangs up has cancelled (2026-07-28, Cancellation); after the response there is nothing left to cancel.
    res.once('close', () => child.cancel(key));
  }

  async #notify({ req, res, auth, principal, since }: BridgeRequest, message: ClientMessage): Promise<void> {
    const named = req.headers['mcp-method'];
    if (named !== undefined && named !== message.method)
      throw new BridgeError('header_mismatch', { detail: 'Mcp-Method' });
    if (!matchesNameHeader(req.headers['mcp-name'], message))
      throw new BridgeError('header_mismatch', { detail: 'Mcp-Name' });
    // The ids at the child are ours, so a client's word for what to cancel means nothing there; it hangs up instead.
    if (message.method !== 'notifications/cancelled') {
      const child = await this.#shared.get(principal, auth);
      const { length } = message.bytes;
      for (let busy = child.ready(since, length); busy; busy = child.ready(since, length)) await busy;
      requireAuthority(auth);
      child.tell(withMeta(message, this.#metaRules.forOthers));
    }
    if (!isAnswered(res) && !res.destroyed) res.writeHead(202).end();
  }
}

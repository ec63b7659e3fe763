import { BridgeError } from '../../messages/bridge-error.js';
import { refuserOf } from '../../oauth/refusal.js';
import type { ResolvedBridge } from '../bridge-options.js';
import type { BridgeRequest } from '../bridge-request.js';

/** Refuses a request of an anonymous caller if the option says so. Returns true if it has answered. */
export type AnonymousRefusal = (request: BridgeRequest, id: string | undefined) => boolean;

/**
 * Creates the refusal of anonymous callers where `anonymousRequests` is `refuse`. It throws a `BridgeError` without an `mcpAuth()`.
 *
 * @param who The backend's function, in the log.
 */
export function createAnonymousRefusal(
  who: string,
  { anonymousRequests, logger }: Pick<ResolvedBridge, 'anonymousRequests' | 'logger'>,
): AnonymousRefusal {
  return ({ req, res, auth, calls }, id) => {
    if (auth !== undefined || anonymousRequests !== 'refuse') return false;
    logger.debug(`${who}: refused an anonymous caller (anonymousRequests)`);
    const refuse = refuserOf(req);
    if (refuse === undefined) throw new BridgeError('anonymous_refused', { id });
    refuse(req, res, 'missing_token', { scopes: [] });
    calls?.endAll({ outcome: 'denied', code: 'missing_token' });
    return true;
  };
}

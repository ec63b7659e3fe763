import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { headerText, type ResponseHeaders } from './exchange.js';

/** This server logs in at the target, not the client: a client that got such a status would log in here again, without effect. */
const LOGIN_STATUSES = new Set([401, 403, 407]);

/** Seconds (RFC 9110, section 10.2.3), at most three years. */
const SECONDS = /^\d{1,8}$/;

/**
 * Refuses responses that are not the client's fault, and those that cannot be forwarded.
 *
 * @throws {BridgeError}
 */
export function refuseFault(status: number, headers: ResponseHeaders): void {
  const reason = reasonFor(status);
  if (reason !== undefined) {
    const retryAfter = headerText(headers['retry-after']) ?? '';
    const retryAfterSeconds = status === 503 && SECONDS.test(retryAfter) ? Number(retryAfter) : null;
    throw new BridgeError(reason, { detail: `status ${status}`, retryAfterSeconds });
  }
  const encoding = headerText(headers['content-encoding']) ?? 'identity';
  if (encoding !== 'identity') throw new BridgeError('target_malformed', { detail: 'it has a Content-Encoding' });
}

function reasonFor(status: number): BridgeErrorCode | undefined {
  if (status >= 500) return 'target_failed';
  if (status >= 300 && status < 400) return 'target_redirected';
  return LOGIN_STATUSES.has(status) ? 'target_refused' : undefined;
}

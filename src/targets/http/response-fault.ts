import { printable } from '../../core/printable.js';
import { canParseUrl } from '../../http/can-parse-url.js';
import { codingsIn } from '../../http/codings.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { headerText, type ResponseHeaders } from './exchange.js';

/**
 * The target refuses this server, not the client: its credentials, or with 421 the `Host` of the target's URL. A client that got a 401
 * would log in here again, without effect.
 */
const REFUSALS = new Set([401, 403, 407, 421]);

/** Seconds (RFC 9110, section 10.2.3), at most three years. */
const SECONDS = /^\d{1,8}$/;

/** Characters of a header of the target in the log. */
const MAX_LOGGED = 300;

/** The facts for the log about the request that a response answers. */
export interface AnsweredRequest {
  /** The URL of the target. */
  readonly url: URL;
  /** Describes the credentials that were sent. */
  readonly credentials: string;
  /** Values that were sent and must not be logged. A target may repeat them in its answer. */
  readonly secrets: readonly string[];
}

/**
 * Refuses responses that are not the client's fault, and those that cannot be forwarded.
 *
 * @param describe Called only if the response is refused.
 * @throws {BridgeError}
 */
export function refuseFault(
  status: number,
  headers: ResponseHeaders,
  describe: () => AnsweredRequest | undefined,
): void {
  const reason = faultOfStatus(status);
  if (reason !== undefined) {
    const retryAfter = headerText(headers['retry-after']) ?? '';
    const retryAfterSeconds = status === 503 && SECONDS.test(retryAfter) ? Number(retryAfter) : null;
    const request = describe();
    const evidence = request && evidenceFor(reason, headers, request);
    throw new BridgeError(reason, { detail: `status ${status}`, retryAfterSeconds, evidence });
  }
  const encodings = codingsIn(headerText(headers['content-encoding']) ?? '');
  if (encodings.length > 0) throw new BridgeError('target_malformed', { detail: 'it has a Content-Encoding' });
}

/** Returns the error of a status that is not the client's fault. */
export function faultOfStatus(status: number): BridgeErrorCode | undefined {
  if (status >= 500) return 'target_failed';
  if (status >= 300 && status < 400) return 'target_redirected';
  return REFUSALS.has(status) ? 'target_refused' : undefined;
}

function evidenceFor(reason: BridgeErrorCode, headers: ResponseHeaders, request: AnsweredRequest): string | undefined {
  if (reason === 'target_redirected') return locationIn(headers, request);
  if (reason !== 'target_refused') return undefined;
  const challenge = headerText(headers['www-authenticate']);
  const answer = challenge === undefined ? 'no WWW-Authenticate' : `WWW-Authenticate: ${safe(challenge, request)}`;
  return `credentials sent: ${request.credentials}; ${answer}`;
}

/** Returns where a redirect leads, without query and fragment, which may contain a key. */
function locationIn(headers: ResponseHeaders, request: AnsweredRequest): string {
  const location = headerText(headers.location);
  if (location === undefined) return 'no Location';
  if (!canParseUrl(location, request.url.href)) return 'a Location that is not a URL';
  const { protocol, host, pathname } = new URL(location, request.url);
  return `Location: ${safe(`${protocol}//${host}${pathname}`, request)}`;
}

function safe(text: string, { secrets }: AnsweredRequest): string {
  return printable(
    secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text),
    MAX_LOGGED,
  );
}

import { UpstreamError } from '../../core/errors.js';
import { settleInTime } from '../../core/settle-in-time.js';
import { asError } from '../../http/middleware.js';

/**
 * Calls a function of the application about a credential, and waits for its result for at most 10 seconds.
 *
 * @param code The outage, if the function fails. Its evidence has the reason, without the credential.
 * @throws {UpstreamError}
 */
export async function callInTime<T>(
  call: () => T | Promise<T>,
  { who, code, credential }: { who: string; code: 'verifier_unavailable' | 'api_keys_unavailable'; credential: string },
): Promise<T> {
  try {
    return await settleInTime(who, call());
  } catch (thrown) {
    throw outageFor(thrown, { who, code, credential });
  }
}

/** The thrown value is not kept as a cause: its message, or an address in it, may repeat the credential. */
export function outageFor(
  thrown: unknown,
  { who, code, credential }: { who: string; code: 'verifier_unavailable' | 'api_keys_unavailable'; credential: string },
): UpstreamError {
  const { name, message } = asError(thrown, who);
  const said = `${name}: ${message}`;
  const reason = [credential, encodeURIComponent(credential)].reduce((text, each) => text.replaceAll(each, '…'), said);
  return new UpstreamError(code, { retryAfterSeconds: 5, evidence: { reason: `${who}: ${reason}` } });
}

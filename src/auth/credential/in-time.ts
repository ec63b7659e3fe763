import { UpstreamError } from '../../core/errors.js';
import { asError } from '../../http/middleware.js';

const MAX_SECONDS = 10;

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
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const fail = () => reject(new Error(`${who} did not settle within ${MAX_SECONDS} seconds`));
    timer = setTimeout(fail, MAX_SECONDS * 1_000).unref();
  });
  try {
    return await Promise.race([new Promise<T>((resolve) => resolve(call())), tooLate]);
  } catch (thrown) {
    throw outageFor(thrown, { who, code, credential });
  } finally {
    clearTimeout(timer);
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

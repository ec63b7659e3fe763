import type { ExchangeListener, HeaderRecord } from './exchange.js';
import type { HttpTarget, TargetRequest } from './http-target.js';
import { faultOfStatus } from './response-fault.js';

/** Milliseconds that a target may take to end a session. */
const MAX_ENDING_MS = 2_000;

/** Asks the target to end a session. Its answer is ignored. */
export async function endSession(target: HttpTarget, sessionId: string, caller: HeaderRecord): Promise<void> {
  const headers = ['mcp-session-id', sessionId];
  for (const [name, value] of caller) if (value !== undefined) headers.push(name, value);
  await statusOf(target, { method: 'DELETE', headers, timeoutMs: MAX_ENDING_MS }, MAX_ENDING_MS);
}

/**
 * Resolves to true if the target answers, and its answer does not show that calls fail too. The request carries no secret, so it cannot
 * show whether the target accepts one.
 *
 * @param sendsCredentials True if calls carry credentials.
 */
export async function isReachable(
  target: HttpTarget,
  { connectTimeoutSeconds }: { readonly connectTimeoutSeconds: number },
  sendsCredentials: boolean,
): Promise<boolean> {
  const ms = connectTimeoutSeconds * 1_000;
  const status = await statusOf(target, { method: 'OPTIONS', headers: [], timeoutMs: ms }, ms);
  if (status === undefined) return false;
  // 403 may be about the method: some proxies allow no OPTIONS.
  return status === 403 || (status === 401 && sendsCredentials) || faultOfStatus(status) === undefined;
}

/** Resolves to the status of the target's response; undefined if there is none within `ms`. */
async function statusOf(target: HttpTarget, request: TargetRequest, ms: number): Promise<number | undefined> {
  try {
    await target.prepare();
  } catch {
    // undici cannot be loaded. The requests of clients report that.
    return undefined;
  }
  return new Promise((resolve) => {
    const listener: ExchangeListener = {
      onStart(status) {
        clearTimeout(late);
        resolve(status);
        exchange.discard();
      },
      onData: () => true,
      onEnd: () => undefined,
      onFault() {
        clearTimeout(late);
        resolve(undefined);
      },
    };
    const late = setTimeout(() => {
      exchange.abort();
      resolve(undefined);
    }, ms).unref();
    const exchange = target.exchange(request, listener);
  });
}

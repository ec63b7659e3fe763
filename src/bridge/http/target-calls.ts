import type { ExchangeListener } from '../../targets/http/exchange.js';
import type { HttpTarget, TargetRequest } from '../../targets/http/http-target.js';
import type { HeaderRecord } from './read-http-options.js';

/** Milliseconds that a target may take to end a session. */
const MAX_END_MS = 2_000;

/** Ends a session that no client uses any more. The target's answer is ignored. */
export async function endRemoteSession(target: HttpTarget, sessionId: string, caller: HeaderRecord): Promise<void> {
  const headers = ['mcp-session-id', sessionId];
  for (const [name, value] of caller) if (value !== undefined) headers.push(name, value);
  await statusOf(target, { method: 'DELETE', headers, timeoutMs: MAX_END_MS }, MAX_END_MS);
}

/** True if the target answers with a status below 500: even a 405 shows that it runs. Sends no secret. */
export async function isReachable(
  target: HttpTarget,
  { connectTimeoutSeconds }: { readonly connectTimeoutSeconds: number },
): Promise<boolean> {
  const ms = connectTimeoutSeconds * 1_000;
  const status = await statusOf(target, { method: 'OPTIONS', headers: [], timeoutMs: ms }, ms);
  return status !== undefined && status < 500;
}

/** Returns the status of the target's response; undefined if none arrives within `ms`. */
async function statusOf(target: HttpTarget, request: TargetRequest, ms: number): Promise<number | undefined> {
  try {
    await target.prepare();
  } catch {
    // undici cannot be loaded. The next request of a client reports it.
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

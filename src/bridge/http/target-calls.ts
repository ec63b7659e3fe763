import type { ExchangeListener } from '../../targets/http/exchange.js';
import type { HttpTarget, TargetRequest } from '../../targets/http/http-target.js';
import type { HeaderRecord } from './read-http-options.js';

/** How long a target may take to end a session. */
const GOODBYE_MS = 2_000;

/** Ends a session that no client will name again; what the target says to it changes nothing. */
export async function sayGoodbye(target: HttpTarget, sessionId: string, caller: HeaderRecord): Promise<void> {
  const headers = ['mcp-session-id', sessionId];
  for (const [name, value] of caller) if (value !== undefined) headers.push(name, value);
  await statusOf(target, { method: 'DELETE', headers, timeoutMs: GOODBYE_MS }, GOODBYE_MS);
}

/** True if the target answers, and not with an error of its own: even a 405 says that a server is there. Sends it no secret. */
export async function isReachable(
  target: HttpTarget,
  { connectTimeoutSeconds }: { readonly connectTimeoutSeconds: number },
): Promise<boolean> {
  const ms = connectTimeoutSeconds * 1_000;
  const status = await statusOf(target, { method: 'OPTIONS', headers: [], timeoutMs: ms }, ms);
  return status !== undefined && status < 500;
}

/** The status of the target's response; undefined where there is none within `ms`. */
async function statusOf(target: HttpTarget, request: TargetRequest, ms: number): Promise<number | undefined> {
  try {
    await target.prepare();
  } catch {
    // Without undici there is no response; requests of clients say so.
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

import type { ExchangeListener, HeaderRecord } from './exchange.js';
import type { ExchangeRequest, HttpTarget } from './http-target.js';
import { faultOfStatus } from './response-fault.js';

/** Milliseconds that a target may take to end a session. */
const MAX_ENDING_MS = 2_000;

/** Asks the target to end a session. Its answer is ignored. */
export async function endSession(target: HttpTarget, sessionId: string, caller: HeaderRecord): Promise<void> {
  const headers = ['mcp-session-id', sessionId];
  for (const [name, value] of caller) if (value !== undefined) headers.push(name, value);
  await answerTo(target, { method: 'DELETE', headers, timeoutMs: MAX_ENDING_MS }, MAX_ENDING_MS);
}

/**
 * Asks whether the target answers, and its answer does not show that calls fail too. Resolves to undefined if so, and otherwise to the
 * reason, for a log. The request carries no secret, so it cannot show whether the target accepts one.
 *
 * @param sendsCredentials True if calls carry credentials.
 */
export async function faultOfTarget(
  target: HttpTarget,
  { connectTimeoutSeconds }: { readonly connectTimeoutSeconds: number },
  sendsCredentials: boolean,
): Promise<string | undefined> {
  const ms = connectTimeoutSeconds * 1_000;
  const answer = await answerTo(target, { method: 'OPTIONS', headers: [], timeoutMs: ms }, ms);
  if (typeof answer === 'string') return answer;
  // 403 may be about the method: some proxies allow no OPTIONS.
  const isAnswer = answer === 403 || (answer === 401 && sendsCredentials) || faultOfStatus(answer) === undefined;
  return isAnswer ? undefined : `it answered with status ${answer}`;
}

/** Resolves to the status of the target's response, or to the reason why there is none within `ms`. */
async function answerTo(target: HttpTarget, request: ExchangeRequest, ms: number): Promise<number | string> {
  try {
    await target.prepare();
  } catch (error) {
    // undici cannot be loaded. The requests of clients report that too.
    return (error as Error).message;
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
      onFault({ detail }) {
        clearTimeout(late);
        resolve(detail);
      },
    };
    const late = setTimeout(() => {
      exchange.abort();
      resolve(`no answer within ${ms / 1_000} seconds`);
    }, ms).unref();
    const exchange = target.exchange(request, listener);
  });
}

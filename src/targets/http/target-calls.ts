import { randomUUID } from 'node:crypto';
import { readMessage } from '../../messages/json-rpc.js';
import type { ExchangeListener, HeaderRecord } from './exchange.js';
import type { ExchangeRequest, HttpTarget } from './http-target.js';
import { type ConnectionHeaders, headersOfMessage } from './message-headers.js';
import { faultOfStatus } from './response-fault.js';

/** Milliseconds that a target may take to end a session. */
const MAX_ENDING_MS = 2_000;
/** Milliseconds that a target may take to answer whether it knows a session. */
const MAX_PING_MS = 2_000;

/** True if servers answer with this status when they do not know the session. With 400, they also refuse other requests. */
export function mayMeanLostSession(status: number): boolean {
  return status === 400 || status === 404 || status === 410;
}

/** Asks the target to end a session. Its answer is ignored. */
export async function endSession(target: HttpTarget, sessionId: string, caller: HeaderRecord): Promise<void> {
  const headers = ['mcp-session-id', sessionId];
  for (const [name, value] of caller) if (value !== undefined) headers.push(name, value);
  await answerTo(target, { method: 'DELETE', headers, timeoutMs: MAX_ENDING_MS }, MAX_ENDING_MS);
}

/** Sends a `ping` in a session. Resolves to true if its answer shows that the target does not know the session. */
export async function isSessionLost(target: HttpTarget, session: ConnectionHeaders): Promise<boolean> {
  const ping = readMessage(Buffer.from(`{"jsonrpc":"2.0","id":"${randomUUID()}","method":"ping","params":{}}`));
  if (ping === undefined) return false;
  const headers = headersOfMessage(ping, session, {});
  const answer = await answerTo(
    target,
    { method: 'POST', headers, body: ping.bytes, timeoutMs: MAX_PING_MS },
    MAX_PING_MS,
  );
  return typeof answer === 'number' && mayMeanLostSession(answer);
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

import { randomUUID } from 'node:crypto';
import { memberOf, textOf } from '../../messages/json-members.js';
import { membersAt, readMessage } from '../../messages/json-rpc.js';
import type { ExchangeListener } from './exchange.js';
import type { ExchangeRequest, HttpTarget } from './http-target.js';
import { type ConnectionHeaders, headersOfMessage, headersOfSession } from './message-headers.js';
import { faultOfStatus } from './response-fault.js';

/** Milliseconds that a target may take to end a session. */
const MAX_ENDING_MS = 2_000;
/** Milliseconds that a target may take to answer whether it knows a session. */
const MAX_PING_MS = 2_000;
/** Bytes of that answer. */
const MAX_PING_BYTES = 4_096;

/** True if servers answer with this status when they do not know the session. With 400, they also refuse other requests. */
export function mayMeanLostSession(status: number): boolean {
  return status === 400 || status === 404 || status === 410;
}

/** Asks the target to end a session. Resolves to the status of its answer; undefined if there is none. */
export async function endSession(target: HttpTarget, session: ConnectionHeaders): Promise<number | undefined> {
  const headers = headersOfSession(session);
  const answer = await answerTo(target, { method: 'DELETE', headers, timeoutMs: MAX_ENDING_MS }, MAX_ENDING_MS);
  return typeof answer === 'string' ? undefined : answer.status;
}

/** Sends a `ping` in a session. Resolves to true if its answer shows that the target does not know the session. */
export async function isSessionLost(target: HttpTarget, session: ConnectionHeaders): Promise<boolean> {
  const ping = readMessage(Buffer.from(`{"jsonrpc":"2.0","id":"${randomUUID()}","method":"ping","params":{}}`));
  if (ping === undefined) return false;
  const headers = headersOfMessage(ping, session, {});
  const request: ExchangeRequest = { method: 'POST', headers, body: ping.bytes, timeoutMs: MAX_PING_MS };
  const answer = await answerTo(target, request, MAX_PING_MS, MAX_PING_BYTES);
  return typeof answer !== 'string' && mayMeanLostSession(answer.status) && !saysMethodNotFound(answer.body);
}

/** True if a server answers that it does not have the method: it has read the message, so it knows the session. */
function saysMethodNotFound(body: Buffer): boolean {
  const message = readMessage(body);
  const code = message && memberOf(membersAt(message, 'error'), 'code');
  return code !== undefined && textOf(body, code) === '-32601';
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
  const { status } = answer;
  // 403 may be about the method: some proxies allow no OPTIONS.
  const isAnswer = status === 403 || (status === 401 && sendsCredentials) || faultOfStatus(status) === undefined;
  return isAnswer ? undefined : `it answered with status ${status}`;
}

interface Answer {
  readonly status: number;
  /** The beginning of the body. */
  readonly body: Buffer;
}

/**
 * Resolves to the target's response, or to the reason why there is none within `ms`.
 *
 * @param maxBytes Bytes of the body that are read. By default none.
 */
async function answerTo(
  target: HttpTarget,
  request: ExchangeRequest,
  ms: number,
  maxBytes = 0,
): Promise<Answer | string> {
  try {
    await target.prepare();
  } catch (error) {
    // undici cannot be loaded. The requests of clients report that too.
    return (error as Error).message;
  }
  return new Promise((resolve) => {
    let status = 0;
    let body: Buffer = Buffer.alloc(0);
    const finish = (answer: Answer | string = { status, body }): void => {
      clearTimeout(late);
      resolve(answer);
    };
    const discard = (): void => {
      finish();
      exchange.discard();
    };
    const listener: ExchangeListener = {
      onStart(given) {
        status = given;
        if (maxBytes === 0) discard();
      },
      onData(chunk) {
        if (body.length === maxBytes) return true;
        body = Buffer.concat([body, chunk]).subarray(0, maxBytes);
        if (body.length === maxBytes) discard();
        return true;
      },
      onEnd: () => finish(),
      onFault: ({ detail }) => finish(detail),
    };
    const late = setTimeout(() => {
      exchange.abort();
      finish(status === 0 ? `no answer within ${ms / 1_000} seconds` : undefined);
    }, ms).unref();
    const exchange = target.exchange(request, listener);
  });
}

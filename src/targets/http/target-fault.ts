import { BodyError } from '../../http/body.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';

/** The response did not begin in time. */
export class AnswerTimeout extends Error {
  override readonly name = 'AnswerTimeout';

  constructor() {
    super('it did not begin to answer in time');
  }
}

/** The error of undici for the same. */
const TIMED_OUT = 'HeadersTimeoutError';
/** Names of undici's errors. Any other error on a connection means that it broke. */
const UNREADABLE = new Set(['HTTPParserError', 'HeadersOverflowError', 'ResponseContentLengthMismatchError']);

/** Messages of errors for which undici has no name or code of their own: answers that no request asked for. */
const UNWANTED_ANSWERS: ReadonlyMap<string, string> = new Map([
  ['bad upgrade', 'it answered with status 101, which switches to another protocol'],
  ['bad response', 'it answered with status 100'],
]);
/** The name of the error if a check within undici fails. */
const CHECK_FAILED = 'AssertionError';
const IMPOSSIBLE_STATUS = 'it answered with a status that HTTP does not have, or with status 101';

/** Codes of OpenSSL for an answer that is not TLS. `EPROTO` has also other causes. */
const PLAIN_HTTP = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO']);

/** The reason why an exchange with a remote server failed. */
export interface TargetFault {
  /** For the client. A `BodyError` if the client's own body is the reason. */
  readonly error: BridgeError | BodyError;
  /** For the log: a reason in plain words, or the message of the system or of undici. */
  readonly detail: string;
}

/**
 * Classifies an error of undici.
 *
 * @param isSent True if the request was, or may have been, written to a connection.
 */
export function faultOf(error: Error, isSent: boolean): TargetFault {
  if (error instanceof BodyError) return { error, detail: error.message };
  const malformed = error.name === CHECK_FAILED ? IMPOSSIBLE_STATUS : UNWANTED_ANSWERS.get(error.message);
  if (isSent && malformed !== undefined) return { error: new BridgeError('target_malformed'), detail: malformed };
  const code = codeOf(error);
  // If several addresses were tried, the error of Node has a code and no message.
  const detail = code === undefined || error.message.includes(code) ? error.message : `${code} ${error.message}`;
  const advice = PLAIN_HTTP.has(code ?? '') ? '. The server may speak plain http on this port, and not https' : '';
  return { error: new BridgeError(reasonFor(error, isSent)), detail: detail.replace(/[: \n]+$/, '') + advice };
}

function reasonFor(error: Error, isSent: boolean): BridgeErrorCode {
  if (!isSent) return 'target_unreachable';
  if (error instanceof AnswerTimeout || error.name === TIMED_OUT) return 'target_timed_out';
  return UNREADABLE.has(error.name) ? 'target_malformed' : 'target_broke_off';
}

function codeOf(error: Error): string | undefined {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : undefined;
}

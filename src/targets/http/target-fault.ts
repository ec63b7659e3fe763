import { BodyError } from '../../http/body.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';

/** What undici calls its errors. Everything else that happens on a connection breaks the exchange off. */
const TIMED_OUT = 'HeadersTimeoutError';
const UNREADABLE = new Set(['HTTPParserError', 'HeadersOverflowError', 'ResponseContentLengthMismatchError']);

/** An exchange with a remote server that failed. */
export interface TargetFault {
  /** For the client: a `BodyError` where its own body is to blame. */
  readonly error: BridgeError | BodyError;
  /** For the log: what the system, or undici, says. */
  readonly detail: string;
}

/** Whose fault an error is. `isSent`: the request was, or may have been, written to a connection. */
export function faultOf(error: Error, isSent: boolean): TargetFault {
  if (error instanceof BodyError) return { error, detail: error.message };
  const code = codeOf(error);
  // Of several addresses that were tried, Node gives one error that has no words of its own.
  const detail = code === undefined || error.message.includes(code) ? error.message : `${code} ${error.message}`;
  return { error: new BridgeError(reasonFor(error.name, isSent)), detail };
}

function reasonFor(name: string, isSent: boolean): BridgeErrorCode {
  if (!isSent) return 'target_unreachable';
  if (name === TIMED_OUT) return 'target_timed_out';
  return UNREADABLE.has(name) ? 'target_malformed' : 'target_broke_off';
}

function codeOf(error: Error): string | undefined {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : undefined;
}

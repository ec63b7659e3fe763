import { BodyError } from '../../http/body.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';

/** What undici calls the errors that have a code here. Everything else that happens on a connection breaks the exchange off. */
const TIMED_OUT = 'UND_ERR_HEADERS_TIMEOUT';
const UNREADABLE = /^(?:HPE_|UND_ERR_(?:HEADERS_OVERFLOW|RES_CONTENT_LENGTH_MISMATCH))/;

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
  return { error: new BridgeError(reasonFor(code, isSent)), detail };
}

function reasonFor(code: string | undefined, isSent: boolean): BridgeErrorCode {
  if (!isSent) return 'target_unreachable';
  if (code === TIMED_OUT) return 'target_timed_out';
  return UNREADABLE.test(code ?? '') ? 'target_malformed' : 'target_broke_off';
}

function codeOf(error: Error): string | undefined {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : undefined;
}

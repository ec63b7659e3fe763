import { ignoreRejection } from '../core/ignore-rejection.js';
import { isPromiseLike } from '../core/settle-in-time.js';
import type { CallOptions, CallRecord } from './call-record.js';
import type { CallStart } from './call-tracer.js';
import type { CallEnd } from './observed-call.js';

/** The longest answer whose result `recordContent` gets, in bytes. */
export const MAX_CONTENT_BYTES = 65_536;

/** Calls one listener. An error in it must not change the answer. */
export function notifyListener(
  { onCall, recordContent }: CallOptions,
  record: CallRecord,
  start: CallStart,
  end: CallEnd,
): void {
  if (onCall === undefined) return;
  const content = recordContent && contentOf(recordContent, start, end);
  try {
    ignoreRejection(onCall(content === undefined ? record : Object.freeze({ ...record, content })));
  } catch {
    // An error of the listener is its own: the call has been answered.
  }
}

function contentOf(
  recordContent: NonNullable<CallOptions['recordContent']>,
  { method, name, params }: CallStart,
  { result, bytes = 0 }: CallEnd,
): unknown {
  try {
    const content = recordContent({ method, name, params, result: bytes > MAX_CONTENT_BYTES ? undefined : result });
    ignoreRejection(content);
    // The record does not wait for a promise.
    return isPromiseLike(content) ? undefined : content;
  } catch {
    // The listener then gets the record without content.
    return undefined;
  }
}

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
    // Nothing is lost: the record was offered.
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
    // A promise is no content: the record does not wait for it.
    return isPromiseLike(content) ? undefined : content;
  } catch {
    // The record is the same without content.
    return undefined;
  }
}

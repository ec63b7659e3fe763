import type { Exchange, ResponseHeaders } from '../../targets/http/exchange.js';
import { Upload } from '../../targets/http/upload.js';

/** Milliseconds that the target may still take to begin its response. */
const MAX_WAIT_MS = 10_000;

/** Receives the headers and the end of an exchange whose client has left. */
export interface AbandonedListener {
  onHeaders(status: number, headers: ResponseHeaders): void;
  /** Called once, as the last one. */
  onOver(): void;
}

/**
 * True if a message may be `initialize`, which is then not aborted when its client leaves. Messages are not parsed, so this is also true
 * for some others, but never false for `initialize`, however it is written.
 */
export function mayOpenSession(body: Buffer | Upload | undefined): boolean {
  return body !== undefined && (body instanceof Upload || body.includes('initialize') || body.includes('\\u'));
}

/** Waits for the headers of a response whose client has left: they may name a session, which would stay open at the target. */
export function awaitAbandoned(exchange: Exchange, { onHeaders, onOver }: AbandonedListener): void {
  const over = (): void => {
    clearTimeout(late);
    onOver();
  };
  const late = setTimeout(() => {
    exchange.abort();
    onOver();
  }, MAX_WAIT_MS).unref();
  exchange.handOver({
    onStart(status, headers) {
      exchange.discard();
      onHeaders(status, headers);
      over();
    },
    onData: () => true,
    onEnd: over,
    onFault: over,
  });
}

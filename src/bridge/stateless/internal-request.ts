import { type BridgeErrorCode, reasonOf } from '../../messages/bridge-error.js';
import { CAPABILITIES_KEY, FIRST_STATELESS_REVISION, VERSION_KEY } from '../../messages/revision.js';
import type { Recipient } from '../answers/post-response.js';

/** The response to a request of the bridge itself, as it was written. */
export interface WrittenResponse {
  readonly bytes: Buffer;
  /** The reason why the server gave no answer; undefined if `bytes` are its answer. */
  readonly reason: BridgeErrorCode | undefined;
}

/** A server's response to a request of the bridge itself; empty if it does not answer, or not with JSON. */
export interface InternalResponse {
  /** The reason why the server gave no answer, unless it was only silent. */
  readonly reason?: BridgeErrorCode | undefined;
  /** Bytes of the whole response. */
  readonly length?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code?: unknown; readonly data?: Readonly<Record<string, unknown>> };
}

/** A server that answers requests of the bridge itself. */
export interface RequestTarget {
  /** Sends a request and returns the key under which it can be cancelled. */
  sendInternal(method: string, params: string, recipient: Recipient): string;
  cancel(key: string): void;
}

/**
 * Sends a server a request of the bridge itself, in the first revision without sessions, and waits for at most `ms`. A response of more
 * than `maxBytes` is not parsed, and counts as no answer: its objects would take many times as much memory.
 */
export async function requestFromServer(
  server: RequestTarget,
  method: string,
  params: { _meta?: object },
  ms: number,
  maxBytes: number,
): Promise<InternalResponse> {
  const _meta = { ...params._meta, [VERSION_KEY]: FIRST_STATELESS_REVISION, [CAPABILITIES_KEY]: {} };
  const response = await askServer(server, method, { ...params, _meta }, ms);
  if (response === undefined || response.bytes.length > maxBytes) return {};
  const { bytes, reason } = response;
  try {
    return { ...JSON.parse(bytes.toString('utf8')), reason, length: bytes.length };
  } catch {
    // A response that is not JSON counts as no answer.
    return {};
  }
}

/** Sends a server a request of the bridge itself. Resolves to the response; undefined if there is none within `ms`. */
export function askServer(
  server: RequestTarget,
  method: string,
  params: object,
  ms: number,
): Promise<WrittenResponse | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.cancel(key);
      resolve(undefined);
    }, ms);
    // The bridge needs only the response.
    const ignore = (): void => undefined;
    const recipient: Recipient = {
      isStreaming: false,
      endsWithToken: false,
      auth: undefined,
      notify: ignore,
      tick: ignore,
      finish: ignore,
      refuse: ignore,
      respond(response) {
        clearTimeout(timer);
        // A copy: the response is part of a larger chunk.
        resolve({ bytes: Buffer.from(response), reason: reasonOf(response) });
      },
    };
    const key = server.sendInternal(method, JSON.stringify(params), recipient);
  });
}

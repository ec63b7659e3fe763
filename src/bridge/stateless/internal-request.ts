import { CAPABILITIES_KEY, FIRST_STATELESS_REVISION, VERSION_KEY } from '../../messages/revision.js';
import type { Recipient } from '../answers/post-response.js';

/** A child's response to the bridge's own request; empty if the child stays silent or writes no JSON. */
export interface InternalResponse {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code?: unknown; readonly data?: Readonly<Record<string, unknown>> };
}

/** A child that many requests share, as far as it answers the bridge's own requests. */
export interface RequestTarget {
  /** Sends a request and returns the key under which it can be cancelled. */
  sendInternal(method: string, params: string, recipient: Recipient): string;
  cancel(key: string): void;
}

/** Sends a child a request of the bridge's own, in the first revision without sessions, and waits for at most `ms`. */
export function requestFromChild(
  shared: RequestTarget,
  method: string,
  params: { _meta?: object },
  ms: number,
): Promise<InternalResponse> {
  const _meta = { ...params._meta, [VERSION_KEY]: FIRST_STATELESS_REVISION, [CAPABILITIES_KEY]: {} };
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      shared.cancel(key);
      resolve({});
    }, ms);
    // The bridge needs only the response.
    const nothing = (): void => undefined;
    const recipient: Recipient = {
      streaming: false,
      auth: undefined,
      notify: nothing,
      tick: nothing,
      finish: nothing,
      refuse: nothing,
      respond(response) {
        clearTimeout(timer);
        try {
          resolve(JSON.parse(response.toString('utf8')));
        } catch {
          // No JSON is no answer.
          resolve({});
        }
      },
    };
    const key = shared.sendInternal(method, JSON.stringify({ ...params, _meta }), recipient);
  });
}

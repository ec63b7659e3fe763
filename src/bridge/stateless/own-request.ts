import { CAPABILITIES_KEY, FIRST_MODERN_REVISION, VERSION_KEY } from '../../messages/era.js';
import type { Recipient } from '../answers/answer.js';

/** What a child answers to a request of ours; nothing where it stays silent or writes no JSON. */
export interface OwnResponse {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code?: unknown; readonly data?: Readonly<Record<string, unknown>> };
}

/** What answers requests of ours: a child that many requests share. */
export interface Askable {
  /** Sends a request and returns the key under which it can be cancelled. */
  ask(method: string, params: string, recipient: Recipient): string;
  cancel(key: string): void;
}

/** Asks a child something ourselves, in the first revision without sessions, and waits for at most `ms`. */
export function askChild(
  shared: Askable,
  method: string,
  params: { _meta?: object },
  ms: number,
): Promise<OwnResponse> {
  const _meta = { ...params._meta, [VERSION_KEY]: FIRST_MODERN_REVISION, [CAPABILITIES_KEY]: {} };
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      shared.cancel(key);
      resolve({});
    }, ms);
    // Only the response matters to us.
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
    const key = shared.ask(method, JSON.stringify({ ...params, _meta }), recipient);
  });
}

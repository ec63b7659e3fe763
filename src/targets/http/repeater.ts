import { BridgeError } from '../../messages/bridge-error.js';
import { parseMessages } from '../../messages/json-rpc.js';
import type { Upload } from './upload.js';

/** The rules for sending a request again. */
export interface RetryRules {
  /** The maximum number of attempts, including the first one. */
  readonly attempts: number;
  readonly backoffMs: number;
  /** Statuses of answers after which a repeatable request is sent again. */
  readonly codes: readonly number[];
}

/** Methods that read something, or open a session, which has no effect before a client knows its id. */
const REPEATABLE = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
]);

/** True if a request is safe to repeat: the second one has no further effect. */
function isRepeatable(method: string, body: Buffer | undefined): boolean {
  // GET opens a stream, and DELETE ends a session.
  if (method === 'GET' || method === 'DELETE') return true;
  return body !== undefined && REPEATABLE.has(methodIn(body));
}

/** Returns the method of the only message in a body. Servers could read an ambiguous one as another method, so it has none. */
function methodIn(body: Buffer): string {
  try {
    const { messages, batch } = parseMessages(body);
    const [message] = messages;
    return batch || message?.kind !== 'request' ? '' : message.method;
  } catch (error) {
    if (error instanceof BridgeError) return '';
    throw error;
  }
}

/** Sends one request again, as long as the rules allow it. */
export class Repeater {
  readonly #rules: RetryRules;
  readonly #isRepeatable: boolean;
  readonly #send: () => void;
  #left: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(rules: RetryRules, isRepeatable: boolean, send: () => void) {
    this.#rules = rules;
    this.#isRepeatable = isRepeatable;
    this.#send = send;
    this.#left = rules.attempts - 1;
  }

  /** Called if the request could not be sent. Returns true if it will be sent again. */
  afterNoConnection(): boolean {
    return this.#sendAgain();
  }

  /** Called with the status of an answer. Returns true if the request will be sent again. */
  afterStatus(status: number): boolean {
    return this.#isRepeatable && this.#rules.codes.includes(status) && this.#sendAgain();
  }

  #sendAgain(): boolean {
    if (this.#left <= 0) return false;
    this.#left--;
    this.#timer = setTimeout(this.#send, this.#rules.backoffMs);
    return true;
  }

  cancel(): void {
    this.#left = 0;
    clearTimeout(this.#timer);
  }
}

/** Creates the repeater of a request. Undefined if it must not be sent again. */
export function createRepeater(
  rules: RetryRules | undefined,
  { method, body }: { readonly method: string; readonly body?: Buffer | Upload | undefined },
  send: () => void,
): Repeater | undefined {
  if (rules === undefined || rules.attempts < 2) return undefined;
  // undici destroys a body that it could not send. OPTIONS asks whether the server answers now.
  if (method === 'OPTIONS' || (body !== undefined && !Buffer.isBuffer(body))) return undefined;
  return new Repeater(rules, isRepeatable(method, body), send);
}

import type { Dispatcher } from 'undici';
import { createDispatcher, type TargetAddress } from './dispatcher.js';
import { Exchange, type ExchangeListener } from './exchange.js';
import type { Upload } from './upload.js';

/** One request to a remote server. */
export interface TargetRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'OPTIONS';
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body?: Buffer | Upload | undefined;
  /** The time in which the server must begin to answer, in milliseconds; 0 is no limit. */
  readonly timeoutMs: number;
}

/** A remote MCP server: exchanges with it, over connections that are reused. No request is sent twice. */
export class HttpTarget {
  readonly #url: URL;
  readonly #path: string;
  readonly #load: () => Promise<Dispatcher>;
  #dispatcher: Dispatcher | undefined;
  #loading: Promise<Dispatcher> | undefined;

  constructor(address: TargetAddress) {
    this.#url = address.url;
    this.#path = address.url.pathname + address.url.search;
    this.#load = () => createDispatcher(address);
  }

  /**
   * Returns a promise that resolves once exchanges can begin; undefined if they already can.
   *
   * @throws {UpstreamError} `package_unavailable`
   */
  prepare(): Promise<unknown> | undefined {
    if (this.#dispatcher !== undefined) return undefined;
    this.#loading ??= this.#load().then(
      (dispatcher) => {
        this.#dispatcher = dispatcher;
        return dispatcher;
      },
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }

  /** Begins an exchange, after `prepare()`. The listener may get a fault before this method returns. */
  exchange({ method, headers, body, timeoutMs }: TargetRequest, listener: ExchangeListener): Exchange {
    const exchange = new Exchange(listener);
    const { origin } = this.#url;
    this.#dispatcher?.dispatch(
      { origin, path: this.#path, method, headers, body: body ?? null, headersTimeout: timeoutMs },
      exchange,
    );
    return exchange;
  }

  /** Aborts all exchanges, and closes the connections. */
  async close(): Promise<void> {
    await this.#loading?.catch(() => undefined);
    await this.#dispatcher?.destroy();
  }
}

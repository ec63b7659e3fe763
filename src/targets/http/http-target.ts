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
  /** How long the server may take until it begins to answer, in milliseconds; 0: as long as it likes. */
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
   * Resolves once exchanges can begin; undefined where they can already.
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

  /** Begins an exchange, after `prepare()`. The listener may hear of a fault before it returns. */
  exchange({ method, headers, body, timeoutMs }: TargetRequest, listener: ExchangeListener): Exchange {
    const exchange = new Exchange(listener);
    const { origin } = this.#url;
    this.#dispatcher?.dispatch(
      { origin, path: this.#path, method, headers, body: body ?? null, headersTimeout: timeoutMs },
      exchange,
    );
    return exchange;
  }

  /** Breaks off what is left, and closes the connections. */
  async close(): Promise<void> {
    await this.#loading?.catch(() => undefined);
    await this.#dispatcher?.destroy();
  }
}

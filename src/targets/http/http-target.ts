import type { Dispatcher } from 'undici';
import { atEndOfTurn } from '../../http/end-of-turn.js';
import { createDispatcher, type TargetAddress } from './dispatcher.js';
import { Exchange, type ExchangeListener } from './exchange.js';
import { createRepeater, type RetryRules } from './repeater.js';
import { Upload } from './upload.js';

/** One request to a remote server. */
export interface ExchangeRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'OPTIONS';
  /** Names and values, alternating. */
  readonly headers: string[];
  readonly body?: Buffer | Upload | undefined;
  /** Milliseconds until the server must begin to answer; 0: no limit. */
  readonly timeoutMs: number;
}

/** A remote MCP server. Its connections are reused. A request that may have had an effect is not sent twice. */
export class HttpTarget {
  readonly #origin: string;
  readonly #path: string;
  readonly #retry: RetryRules | undefined;
  readonly #load: () => Promise<Dispatcher>;
  #dispatcher: Dispatcher | undefined;
  #loading: Promise<Dispatcher> | undefined;

  constructor(address: TargetAddress) {
    const { origin, pathname, search } = address.url;
    this.#origin = origin;
    this.#path = pathname + search;
    this.#retry = address.retry;
    this.#load = () => createDispatcher(address);
  }

  /**
   * Loads undici. Resolves when `exchange()` can be called; returns undefined if it can be called at once.
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

  /** Starts an exchange; call `prepare()` before. The request is sent at the end of this turn of the event loop. */
  exchange(request: ExchangeRequest, listener: ExchangeListener): Exchange {
    const { method, headers, body = null, timeoutMs } = request;
    // undici knows how long an upload takes. For other requests our timer is cheaper than those of undici, which it keeps for half a second.
    const upload = body instanceof Upload ? body : undefined;
    const exchange = new Exchange(listener, timeoutMs, upload);
    const headersTimeout = upload === undefined ? 0 : timeoutMs;
    // Behind a SOCKS proxy, undici does not use the timeouts of the dispatcher, and would end a stream that is quiet for five minutes.
    const options = { origin: this.#origin, path: this.#path, method, headers, body, headersTimeout, bodyTimeout: 0 };
    // A copy for each attempt, because undici may write to it.
    const send = () => this.#dispatcher?.dispatch({ ...options }, exchange);
    exchange.repeatWith(createRepeater(this.#retry, request, send));
    // Requests that arrive together are written together: each write may wake the server up, which costs more than anything else here.
    atEndOfTurn(() => {
      if (exchange.isAborted) upload?.destroy();
      else send();
    });
    return exchange;
  }

  /** Aborts the exchanges and closes the connections. */
  async close(): Promise<void> {
    await this.#loading?.catch(() => undefined);
    await this.#dispatcher?.destroy();
  }
}

import { type Server, type ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createRareLine } from '../core/rare-line.js';
import type { Logger } from '../index.js';
import { PROCESS_DEFAULTS, type ProcessTimes } from './config/process-settings.js';

/** The times of a server's connections. */
export type ConnectionTimes = Pick<ProcessTimes, 'keepAliveSeconds' | 'headersSeconds' | 'requestSeconds'>;

/**
 * A connection ends this much later than clients are told (`Keep-Alive: timeout=…`). A request that was sent just before the end still
 * arrives. Less than a second, because Node computes the header from the same value, in whole seconds.
 */
const GRACE_MS = 999;

/** The time between two checks for requests that take too long to arrive. */
const CHECK_MS = 1_000;

/**
 * Returns the options of a server. Every time is set, because the defaults of Node's versions differ.
 *
 * @param isEnding True once each answer ends its connection, so that clients open the next one to another process.
 */
export function serverOptions(
  times: ConnectionTimes = PROCESS_DEFAULTS,
  isEnding: () => boolean = () => false,
): ServerOptions {
  class LastingResponse extends ServerResponse {
    override writeHead(...args: never[]): this {
      // Read when the headers are sent: the request may have begun before the end.
      if (isEnding()) this.shouldKeepAlive = false;
      return super.writeHead(...(args as unknown as [status: number]));
    }
  }
  const options = { ServerResponse: LastingResponse, ...timeoutsOf(times), connectionsCheckingInterval: CHECK_MS };
  return options as unknown as ServerOptions;
}

/** Changes the times of a server. They apply to each connection from its next request on. */
export function useTimes(server: Server, times: ConnectionTimes): void {
  Object.assign(server, timeoutsOf(times));
}

function timeoutsOf({ keepAliveSeconds, headersSeconds, requestSeconds }: ConnectionTimes) {
  return {
    keepAliveTimeout: keepAliveSeconds * 1_000 + GRACE_MS,
    // Newer versions of Node add a time of their own.
    keepAliveTimeoutBuffer: 0,
    headersTimeout: headersSeconds * 1_000,
    requestTimeout: requestSeconds * 1_000,
  };
}

/** Logs one line a minute for requests that Node answered with 408 because they took too long to arrive. */
export function logTimeouts(server: Server, times: () => ConnectionTimes, logger: Logger): void {
  const log = createRareLine((line) => logger.warn(line));
  const observe = (socket: Socket): void => {
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code !== 'ERR_HTTP_REQUEST_TIMEOUT') return;
      const { headersSeconds, requestSeconds } = times();
      const limits = `headers within ${headersSeconds} s (config.headersTimeout), all of it within ${requestSeconds} s (config.requestTimeout)`;
      log(`a request did not arrive in time, and was answered 408: ${limits}`);
    });
  };
  server.on('connection', observe).on('secureConnection', observe);
}

import type { IncomingMessage } from 'node:http';
import express from 'express';
import type { TrustedProxiesConfig } from './config/runtime-section.js';
import { StartupError } from './startup-error.js';

/**
 * Makes the headers of these proxies about the client's address, protocol and host count. The rest of the package reads them as Express
 * gives them: `req.ip`, `req.protocol`, `req.host` and its setting `trust proxy`.
 *
 * @throws {StartupError} If an address is not valid.
 */
export function trustProxies({ addresses, at: place }: TrustedProxiesConfig): (req: IncomingMessage) => void {
  const app = express();
  try {
    app.set('trust proxy', [...addresses]);
  } catch (error) {
    throw new StartupError(`${place} must list addresses or networks: ${(error as Error).message}`, { cause: error });
  }
  return (req) => void Object.setPrototypeOf(req, app.request);
}

/** The host that a client asked for, which a trusted proxy may have forwarded. */
export function hostOf(req: IncomingMessage): string | undefined {
  return (req as { host?: string }).host ?? req.headers.host;
}

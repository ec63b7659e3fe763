import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRareLine } from '../../core/rare-line.js';
import { isLoopbackAddress, isLoopbackHost } from '../../http/loopback.js';
import { replyJson, replyMethodNotAllowed } from '../../http/reply.js';
import { requestHostname } from '../../http/request-host.js';
import { rawPath, requestTarget } from '../../http/request-target.js';
import type { Logger } from '../../index.js';
import { describeAddress, type ServerAddress } from '../config/server-address.js';
import { serverOptions } from '../connections.js';
import { type AdminUi, UI_PATH } from './admin-ui.js';

/** Answers GET and HEAD requests for one path. */
export type Page = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

/**
 * Creates the server of these pages, by path, and of the page for operators. On a loopback address, Host must be a name of this machine: a web
 * page could otherwise read the answers under its own host name (DNS rebinding).
 */
export function createPageServer(
  address: ServerAddress,
  pages: ReadonlyMap<string, Page>,
  logger: Logger,
  uiOf: () => AdminUi | undefined = () => undefined,
): Server {
  // A name, or another form of the address, may mean a loopback address.
  const isLocal = () => isLoopbackAddress((server.address() as AddressInfo | null)?.address ?? address.host);
  const log = createRareLine((line) => logger.warn(line));
  const server = createServer(serverOptions(), (req, res) => {
    if (isLocal() && !isLoopbackHost(requestHostname(req))) {
      log(`${describeAddress(address)} refused a request with a foreign Host header (foreign_host)`);
      replyJson(res, 403, '{"error":"foreign_host","error_description":"Ask for localhost or 127.0.0.1"}');
      return;
    }
    const path = rawPath(requestTarget(req));
    const ui = uiOf();
    if (ui !== undefined && (path === UI_PATH || path.startsWith(`${UI_PATH}/`))) {
      void ui.handle(req, res, path.slice(UI_PATH.length), isLocal());
      return;
    }
    const page = pages.get(path);
    const paths = [...(ui === undefined ? [] : [`${UI_PATH}/`]), ...pages.keys()];
    if (page === undefined) replyJson(res, 404, JSON.stringify({ error: 'not_found', paths }));
    else if (req.method !== 'GET' && req.method !== 'HEAD') replyMethodNotAllowed(res, ['GET', 'HEAD']);
    else void serve(page, req, res, logger);
  });
  return server;
}

async function serve(page: Page, req: IncomingMessage, res: ServerResponse, logger: Logger): Promise<void> {
  try {
    await page(req, res);
  } catch (error) {
    logger.error(`${req.method} ${rawPath(requestTarget(req))} failed: ${(error as Error).message}`);
    replyJson(res, 500, '{"error":"server_error"}');
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AdminError, replyAdminError } from '../../admin/admin-error.js';
import { createAdminSite } from '../../admin/admin-site.js';
import { isLoopbackAddress } from '../../http/loopback.js';
import type { Logger } from '../../index.js';
import { describeAddress } from '../config/server-address.js';
import type { DevIssuer } from '../dev-issuer/dev-issuer.js';
import type { OpenPort } from '../gateway.js';
import { createPasswordCheck, PasswordError } from './password-check.js';
import { ShownRoutes } from './shown-routes.js';

/** The path of the page for operators. */
export const UI_PATH = '/ui';

/** The part of the gateway that the page shows. */
export interface UiSource {
  openPorts(): readonly OpenPort[];
  shownConfig(): string | undefined;
}

/** The page for operators at the admin address. */
export interface AdminUi {
  /**
   * Answers one request.
   *
   * @param path The path below `/ui`.
   * @param isLocal True if only this machine can reach the address.
   */
  handle(req: IncomingMessage, res: ServerResponse, path: string, isLocal: boolean): Promise<void>;
  /** Returns the line about the address of the page, as in agentgateway. Empty if the page is refused there. */
  notesAt(address: Pick<AddressInfo, 'address' | 'port'>): readonly string[];
  close(): void;
}

/** The settings of the page. */
export interface UiSettings {
  /** Without it, the page is served on addresses of this machine only. */
  readonly password: string | undefined;
  readonly devIssuer: Pick<DevIssuer, 'issueToken'> | undefined;
}

/** Creates the page. It listens for calls and decisions from now on. */
export function createAdminUi(source: UiSource, { password, devIssuer }: UiSettings, logger: Logger): AdminUi {
  const routes = new ShownRoutes(() => source.openPorts(), devIssuer);
  const shown = { routes: () => routes.all(), config: () => source.shownConfig() };
  const site = createAdminSite(shown, (line) => logger.error(line));
  const check = password === undefined ? undefined : createPasswordCheck(password);

  return {
    async handle(req, res, path, isLocal) {
      try {
        if (check === undefined && !isLocal) throw new AdminError(403, 'password_needed', NEEDS_PASSWORD);
        check?.(req);
      } catch (error) {
        if (error instanceof PasswordError) res.setHeader('www-authenticate', error.challenge);
        replyAdminError(res, error);
        return;
      }
      await site.handle(req, res, path);
    },
    notesAt({ address, port }) {
      const isLocal = isLoopbackAddress(address);
      if (check === undefined && !isLocal) return [];
      const host = isLocal || isEveryAddress(address) ? 'localhost' : address;
      return [`Admin UI available at http://${describeAddress({ host, port })}${UI_PATH}/`];
    },
    close: () => site.close(),
  };
}

function isEveryAddress(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

const NEEDS_PASSWORD =
  'Other machines can reach this address, so the page needs a password: start with --admin-password-file FILE, or set config.adminPassword';

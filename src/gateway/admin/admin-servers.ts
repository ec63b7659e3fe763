import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { withSentence } from '../../core/sentences.js';
import { isLoopbackAddress } from '../../http/loopback.js';
import type { Logger } from '../../index.js';
import { DEFAULT_ADMIN, type ProcessConfig } from '../config/process-settings.js';
import { describeAddress, type ServerAddress } from '../config/server-address.js';
import { openMetrics } from '../metrics/metrics.js';
import { createMetricsPages } from '../metrics/metrics-pages.js';
import type { MetricsSource } from '../metrics/served-routes.js';
import { StartupError } from '../startup-error.js';
import type { AdminUi } from './admin-ui.js';
import { createHealthPages, type HealthSource } from './health-pages.js';
import { createPageServer, type Page } from './page-server.js';

/** The servers for operators, probes and Prometheus. */
export interface AdminServers {
  /** One line for each address that the user chose. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens the admin address, and the addresses for health and metrics.
 *
 * @param openUi Creates the page for operators, once its address is open.
 * @throws {StartupError} If an address that the user chose cannot be opened. For the default one this is a warning, so that two commands
 * on one machine start.
 */
export async function openAdminServers(
  { admin = DEFAULT_ADMIN, adminPassword, health, stats }: ProcessConfig,
  source: HealthSource & MetricsSource,
  logger: Logger,
  openUi = noUi,
): Promise<AdminServers> {
  const pages = createHealthPages(source);
  const metrics = admin === 'off' && stats === undefined ? undefined : await openMetrics(source);
  const metricsPages = metrics === undefined ? [] : createMetricsPages(metrics);
  const servers: Server[] = [];
  const notes: string[] = [];
  let ui: AdminUi | undefined;
  const close = async () => {
    ui?.close();
    metrics?.close();
    await Promise.all(servers.map(closeServer));
  };
  const openAt = async (what: string, address: ServerAddress, served: ReadonlyMap<string, Page>, uiOf = noUi) => {
    const server = createPageServer(address, served, logger, uiOf);
    servers.push(await listen(server, address));
    const { port } = server.address() as AddressInfo;
    if (address !== DEFAULT_ADMIN) notes.push(`${what} on http://${describeAddress({ ...address, port })}`);
    return server;
  };
  const openPages = async (address: ServerAddress) => {
    const server = await openAt('Admin', address, new Map([...pages, ...metricsPages]), () => ui);
    ui = openUi();
    notes.push(...(ui?.notesAt(server.address() as AddressInfo) ?? []));
  };
  try {
    if (health !== undefined) await chosen('--health or config.readinessAddr', openAt('Health', health, pages));
    if (stats !== undefined) await chosen('config.statsAddr', openAt('Metrics', stats, new Map(metricsPages)));
    if (admin !== 'off') {
      warnIfReachable(admin, adminPassword !== undefined, logger);
      await openAdmin(admin, () => openPages(admin), logger);
    }
    // The default admin address may be taken.
    if (servers.length === (health === undefined ? 0 : 1)) metrics?.close();
  } catch (error) {
    await close();
    throw error;
  }
  return { notes, close };
}

/** For an address without the page for operators. */
const noUi = (): AdminUi | undefined => undefined;

function warnIfReachable(address: ServerAddress, hasPassword: boolean, logger: Logger): void {
  if (isLoopbackAddress(address.host)) return;
  const advice = hasPassword
    ? 'the password is sent without encryption, so put a proxy with TLS in front. /metrics needs no password'
    : 'use --health for probes from there';
  logger.warn(`the admin address ${describeAddress(address)} can be reached from other machines: ${advice}`);
}

async function openAdmin(address: ServerAddress, open: () => Promise<void>, logger: Logger): Promise<void> {
  try {
    await (address === DEFAULT_ADMIN ? open() : chosen('--admin or config.adminAddr', open()));
  } catch (error) {
    if (address !== DEFAULT_ADMIN) throw error;
    logger.warn(
      `no admin address: ${withSentence((error as Error).message, 'Choose another one with --admin, or --admin off')}`,
    );
  }
}

/** Says which setting names the address, if it cannot be opened. */
async function chosen(setting: string, opening: Promise<unknown>): Promise<void> {
  try {
    await opening;
  } catch (error) {
    const { message } = error as Error;
    throw new StartupError(`${message}: choose another address in ${setting}`, { cause: error });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program uses it',
  EACCES: 'this user may not open it',
  EADDRNOTAVAIL: 'it is not an address of this machine',
  ENOTFOUND: 'it is not an address of this machine',
};

async function listen(server: Server, address: ServerAddress): Promise<Server> {
  try {
    await once(server.listen(address.port, address.host), 'listening');
    return server;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new StartupError(`${describeAddress(address)} cannot be opened (${REASONS[code] ?? code})`, { cause: error });
  }
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

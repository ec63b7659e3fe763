import type { AdminServers } from './admin/admin-servers.js';
import type { DevIssuer } from './dev-issuer/dev-issuer.js';
import type { Gateway } from './gateway.js';
import type { Reloader } from './reload/reloader.js';

/** The parts of the running command. */
export interface RunningParts {
  readonly gateway: Gateway;
  readonly admin: AdminServers;
  readonly devIssuer: DevIssuer | undefined;
  readonly reloader: Reloader;
}

/** Drains and ends the command. Probes are answered until the end. */
export async function shutDown({ gateway, admin, devIssuer, reloader }: RunningParts): Promise<void> {
  await reloader.close();
  await gateway.drain();
  await Promise.all([gateway.close(), devIssuer?.close()]);
  await admin.close();
}

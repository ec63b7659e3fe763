import { onTestFinished } from 'vitest';
import { openAdminServers } from '../../src/gateway/admin/admin-servers.js';
import type { ProcessConfig } from '../../src/gateway/config/process-settings.js';
import type { FileGateway } from './file-gateway.js';
import { createRecordingLogger } from './recording-logger.js';

/** Any free port of a loopback address. */
export const ANY = { host: '127.0.0.1', port: 0 };

const WITHOUT_ROUTES = { problems: async () => [], allRoutes: () => [] };

/** Opens the servers for operators until the test ends. `origin` is that of the first address which is opened. */
export async function openServers(
  config: ProcessConfig,
  source: Pick<FileGateway['gateway'], 'problems' | 'allRoutes'> = WITHOUT_ROUTES,
) {
  const { lines, logger } = createRecordingLogger();
  const { notes, close } = await openAdminServers({ admin: 'off', ...config }, source, logger);
  onTestFinished(close);
  const [origin = ''] = notes.map((note) => note.replace(/^.* on /, ''));
  return { origin, notes, lines, close };
}

import { createServer } from 'node:http';
import express from 'express';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mcpBackend, type RemoteTarget } from '../../src/index.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { connectUser, createSdkServer } from '../support/session-servers.js';
import { serveBackend } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

/** Serves one remote server through `mcpBackend()`. */
async function serveTarget(url: string, target: Partial<RemoteTarget> = {}, options: object = {}) {
  const { lines, logger } = createRecordingLogger();
  const served = await serveBackend(mcpBackend({ targets: { one: { url, ...target } }, logger, ...options }));
  onTestFinished(() => served.stop());
  return { ...served, lines };
}

async function startSdkServer(sdk: 'v1' | 'v2') {
  const { handle, transports } = createSdkServer(sdk);
  const requests: string[] = [];
  const app = express();
  app.use((req, _res, next) => {
    requests.push(`${req.method} ${req.headers['mcp-session-id'] === undefined ? 'without' : 'with'} session`);
    next();
  });
  app.use('/mcp', handle);
  const server = createServer(app);
  await listen(server);
  onTestFinished(() => stop(server));
  return { url: `${originOf(server)}/mcp`, transports, requests };
}

describe.each(['v1', 'v2'] as const)('a remote server of SDK %s, message by message', (sdk) => {
  test.each(['v1', 'v2', 'auto'] as const)('serves a client of SDK %s, with progress and messages', async (client) => {
    const target = await startSdkServer(sdk);
    const { url, backend, lines } = await serveTarget(target.url);
    const user = await connectUser(client, url, { authorization: 'Bearer ada' });
    expect(await user.work()).toEqual([1, 2, 3]);
    await until(() => user.messages.length === 1);
    expect(user.messages).toEqual([...target.transports.keys()].slice(-1));
    expect(backend.stats()).toMatchObject({ sessions: 1, connections: 1 });
    await user.end();
    await user.close();
    await until(() => backend.stats().connections === 0);
    expect(target.requests).toContain('DELETE with session');
    expect(lines.filter((line) => /^(?:warn|error)/.test(line))).toEqual([]);
  });
});

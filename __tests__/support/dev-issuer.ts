import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type DevIssuer, type DevIssuerOptions, startDevIssuer } from '../../src/gateway/dev-issuer/dev-issuer.js';
import { startGuardedServer } from './guarded-server.js';
import { freePort } from './loopback-server.js';
import { createRecordingLogger } from './recording-logger.js';

interface DevIssuerChanges extends Partial<DevIssuerOptions> {
  /** The `scopesSupported` of the server. The issuer knows `read:all`. */
  readonly announced?: readonly string[];
  readonly ruleScopes?: readonly string[];
}

/** Starts the development issuer and an MCP server behind `mcpAuth()` that trusts it, in this process. */
export async function startDevIssuerAndServer(given: DevIssuerChanges = {}) {
  const { announced = ['read:all'], ruleScopes = [], ...changes } = given;
  const folder = await mkdtemp(join(tmpdir(), 'dev-issuer-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const stateFile = join(folder, '.dev-issuer.json');
  const { logger, lines } = createRecordingLogger();
  let current: DevIssuer | undefined;
  const start = async (resource: string) => {
    const resources = [{ resource, scopes: ['read:all'], ruleScopes }];
    current = await startDevIssuer({ port, resources, tokenSeconds: 3_600, stateFile, logger, ...changes });
    return current;
  };
  onTestFinished(() => current?.close());
  const issuer = `http://localhost:${port}`;
  const jwks = { url: `${issuer}/jwks` };
  const { resource } = await startGuardedServer(() => ({
    issuer,
    jwks,
    clockToleranceSeconds: 0,
    resourceMetadata: { scopesSupported: announced },
  }));
  await start(resource);
  return {
    issuer,
    resource,
    stateFile,
    lines,
    /** @param between Runs while the issuer is stopped. */
    async restart(between: () => Promise<unknown> = async () => undefined) {
      await current?.close();
      await between();
      await start(resource);
    },
  };
}

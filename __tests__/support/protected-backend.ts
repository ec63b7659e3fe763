import { createServer } from 'node:http';
import express from 'express';
import { onTestFinished } from 'vitest';
import {
  type McpAuth,
  type McpStdioBackend,
  type McpStdioBackendOptions,
  mcpAuth,
  mcpStdioBackend,
} from '../../src/index.js';
import { createTestIssuer, type TestIssuer } from '../../src/testing/index.js';
import { listen, originOf, stop } from './loopback-server.js';
import { NODE, SCRIPTED } from './stdio-bridge.js';

/** The bridge behind `mcpAuth()`, mounted as users do, with an issuer whose tokens and keys a test can withdraw. */
export interface ProtectedBackend {
  readonly url: string;
  readonly issuer: TestIssuer;
  readonly auth: McpAuth;
  readonly backend: McpStdioBackend;
  /** Returns the Authorization header with a new token. */
  bearer(options?: Parameters<TestIssuer['token']>[0]): { readonly authorization: string };
}

export async function serveProtected(
  options: Partial<McpStdioBackendOptions> = {},
  policy: Readonly<Record<string, unknown>> = {},
): Promise<ProtectedBackend> {
  const issuer = createTestIssuer();
  const auth = mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp', clockToleranceSeconds: 0, ...policy }));
  const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED], ...options });
  const server = createServer(express().use(auth).use('/mcp', backend));
  await listen(server);
  onTestFinished(async () => {
    await backend.close();
    await stop(server);
  });
  const bearer: ProtectedBackend['bearer'] = (token) => ({ authorization: `Bearer ${issuer.token(token)}` });
  return { url: `${originOf(server)}/mcp`, issuer, auth, backend, bearer };
}

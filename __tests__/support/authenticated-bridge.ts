import { createServer, type Server } from 'node:http';
import express from 'express';
import { mcpStdioBackend } from '../../src/bridge/mcp-stdio-backend.js';
import { type McpAuthOptions, type McpStdioBackend, type McpStdioBackendOptions, mcpAuth } from '../../src/index.js';
import { listen, originOf, stop } from './loopback-server.js';
import { createRecordingLogger } from './recording-logger.js';
import { createSigner, type Signer } from './signer.js';
import { NODE, SCRIPTED } from './stdio-bridge.js';

export const ISSUER = 'https://issuer.example';
const AUDIENCE = 'mcp';

export interface AuthenticatedBridge {
  readonly url: string;
  readonly server: Server;
  readonly backend: McpStdioBackend;
  /** The lines that `mcpAuth()` and the backend logged. */
  readonly lines: readonly string[];
  /** A header with a good token that has these claims; `undefined` leaves a claim out. */
  bearer(claims: Readonly<Record<string, unknown>>, signer?: Signer): { readonly authorization: string };
  stop(): Promise<void>;
}

/** A scripted server for revisions with sessions and without, in an app behind `mcpAuth()`. */
export async function startAuthenticatedBridge(
  options: Partial<McpStdioBackendOptions> = {},
  policy: Readonly<Record<string, unknown>> = {},
): Promise<AuthenticatedBridge> {
  const signer = createSigner();
  const { lines, logger } = createRecordingLogger();
  const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED], env: { STATELESS: '1' }, logger, ...options });
  const issuer = { issuer: ISSUER, audiences: [AUDIENCE], jwks: { keys: [signer.jwk] } };
  const auth = mcpAuth({ logger, ...('issuers' in policy ? {} : issuer), ...policy } as McpAuthOptions);
  const server = createServer(express().use('/mcp', auth, backend));
  await listen(server);
  let serial = 0;
  return {
    url: `${originOf(server)}/mcp`,
    server,
    backend,
    lines,
    bearer(claims, by = signer) {
      const exp = Math.floor(Date.now() / 1_000) + 600;
      // Each token differs, as real ones do.
      const token = by.sign({ iss: ISSUER, aud: AUDIENCE, exp, jti: String(++serial), ...claims });
      return { authorization: `Bearer ${token}` };
    },
    async stop() {
      await backend.close();
      await stop(server);
    },
  };
}

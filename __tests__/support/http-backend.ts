import { createServer, type Server } from 'node:http';
import express, { type ErrorRequestHandler } from 'express';
import { onTestFinished } from 'vitest';
import {
  type McpAuth,
  type McpHttpBackend,
  type McpHttpBackendOptions,
  mcpAuth,
  mcpHttpBackend,
} from '../../src/index.js';
import { createTestIssuer, type TestIssuer } from '../../src/testing/index.js';
import { listen, originOf, stop } from './loopback-server.js';
import { createRecordingLogger } from './recording-logger.js';

/** A remote server behind `mcpHttpBackend()` and, unless it is open, `mcpAuth()`. */
export interface ServedRemote {
  readonly url: string;
  readonly server: Server;
  readonly issuer: TestIssuer;
  readonly auth: McpAuth;
  readonly backend: McpHttpBackend;
  /** The lines that `mcpAuth()` and the backend logged. */
  readonly lines: readonly string[];
  /** The errors that reached `next(error)`. */
  readonly errors: unknown[];
  /** The header with a new token of this user. */
  bearer(sub: string, options?: Parameters<TestIssuer['token']>[0]): { readonly authorization: string };
}

interface Surroundings {
  /** Members of the policy; `null`: no `mcpAuth()` at all. */
  readonly policy?: Readonly<Record<string, unknown>> | null;
  /** Middlewares between `mcpAuth()` and the backend. */
  readonly before?: readonly express.RequestHandler[];
  readonly issuer?: TestIssuer;
  readonly path?: string;
}

export async function serveRemote(
  url: string,
  options: Partial<McpHttpBackendOptions> = {},
  { policy = {}, before = [], issuer = createTestIssuer(), path = '/mcp' }: Surroundings = {},
): Promise<ServedRemote> {
  const { lines, logger } = createRecordingLogger();
  const common = { resource: 'https://remote.example/mcp', clockToleranceSeconds: 0, logger };
  const auth = mcpAuth(issuer.policy({ ...common, ...policy }));
  const backend = mcpHttpBackend({ url, logger, ...options });
  const app = express();
  if (policy !== null) app.use(auth);
  const errors: unknown[] = [];
  const record: ErrorRequestHandler = (error, _req, res, _next) => {
    errors.push(error);
    res.status(500).end();
  };
  app.use(path, ...before, backend).use(record);
  const server = createServer(app);
  await listen(server);
  onTestFinished(async () => {
    await backend.close();
    await stop(server);
  });
  const bearer: ServedRemote['bearer'] = (sub, token) => ({
    authorization: `Bearer ${issuer.token({ sub, ...token })}`,
  });
  return { url: originOf(server) + path, server, issuer, auth, backend, lines, errors, bearer };
}

import { afterAll, test } from 'vitest';
import { expectDocumentLogin, startDocumentProxy } from '../support/client-documents.js';
import { freePort } from '../support/loopback-server.js';
import { SDKS } from '../support/mcp-login.js';
import { endPrograms, ROOT, startNode } from '../support/program.js';
import type { FillIn } from '../support/user-agent.js';

afterAll(endPrograms);

/** The output of login-server.mjs. */
interface LoginServer {
  readonly issuer: string;
  readonly user: { readonly email: string; readonly password: string };
}

test.each(SDKS)('SDK %s logs in by its document at Better Auth, calls a tool, and refreshes', async (sdk) => {
  const port = await freePort();
  const server = startNode([`${ROOT}__tests__/better-auth/login-server.mjs`, `http://127.0.0.1:${port}/mcp`]);
  const [line] = await server.says(/^\{.*\}$/m);
  const { issuer, user } = JSON.parse(line) as LoginServer;
  const policy = {
    issuer,
    provider: { standard: {} },
    resourceMetadata: { scopesSupported: ['mcp:read', 'offline_access'] },
  };
  const atBetterAuth: FillIn = (fields) => ('email' in fields ? { ...user } : {});
  await expectDocumentLogin(sdk, await startDocumentProxy(policy, port), atBetterAuth);
});

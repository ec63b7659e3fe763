import 'express-mcp-auth/express';
import type { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import {
  type AuthInfo,
  ConfigError,
  getAuth,
  type McpAuthOptions,
  mcpAuth,
  mcpCalls,
  mcpStdioBackend,
  protectedResourceMetadata,
} from 'express-mcp-auth';
import { type McpAdmin, mcpAdmin } from 'express-mcp-auth/admin';
import { createRedisStore, type NodeRedisClient, type Store } from 'express-mcp-auth/redis';
import { createTestIssuer, type TestIssuer } from 'express-mcp-auth/testing';

const issuer: TestIssuer = createTestIssuer();
const policy: McpAuthOptions = issuer.policy({ resource: 'http://localhost/mcp' });
const backend = mcpStdioBackend({ command: 'node', args: ['server.js'] });

// The packages of the clients are optional: their types are not needed.
const client: NodeRedisClient = { evalSha: async () => null, eval: async () => null };
const store: Store = createRedisStore(client, { prefix: 'mine' });

const app = express();
app.use(mcpAuth({ ...policy, store }));
app.use(protectedResourceMetadata(policy));
app.use('/mcp', mcpCalls({ recordContent: ({ params }) => params.arguments?.city }));
app.use('/mcp', backend);
const admin: McpAdmin = mcpAdmin({ authorize: 'loopback', backends: { '/mcp': backend } });
app.use('/admin', admin);
// @ts-expect-error Who may use the page must be said.
export const refused = () => mcpAdmin({ backends: { '/mcp': backend } });
// As in a hook of Fastify, whose `done` takes nothing but an `Error`.
type Done = (error?: Error) => void;
export const hook = (req: IncomingMessage, res: ServerResponse, done: Done) => backend(req, res, done);
app.get('/me', (req, res) => {
  const auth: AuthInfo | undefined = getAuth(req);
  const same: AuthInfo | undefined = req.auth;
  // @ts-expect-error It is an AuthInfo, not `any`.
  const wrong: number = req.auth;
  res.json([auth?.clientId, same?.payload, wrong]);
});

try {
  // @ts-expect-error An issuer is required.
  mcpAuth({});
} catch (error) {
  const option: string = (error as ConfigError).option;
  if (error instanceof ConfigError) console.log(option);
}

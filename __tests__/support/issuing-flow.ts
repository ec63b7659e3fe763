import express from 'express';
import { getAuth, type McpAuthOptions, mcpAuth, protectedResourceMetadata, type Store } from '../../src/index.js';
import { serve } from './loopback-server.js';
import { type Answer, postForm, postJson, type RawClient, REDIRECT_URI, rawClient } from './oauth-proxy-client.js';
import {
  LOGIN_CLIENT,
  type OpaqueLoginBehaviour,
  type OpaqueLoginServer,
  startOpaqueLoginServer,
} from './opaque-login-server.js';
import { createRecordingLogger } from './recording-logger.js';

export const SECRET = 'a secret of thirty-two characters';

/** A server that issues tokens for logins at an imitation of GitHub. */
export interface IssuingServer {
  readonly origin: string;
  /** The URL of the OAuth proxy's metadata. The endpoints are below it. */
  readonly base: string;
  readonly lines: readonly string[];
  readonly auth: ReturnType<typeof mcpAuth>;
  /** Asks with a token who its user is: `status` and `body`. */
  call(token: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
}

export interface IssuingChanges {
  /** The options of `provider.github`. */
  readonly github?: Record<string, unknown>;
  readonly policy?: Record<string, unknown>;
  readonly store?: Store;
  /** The OAuth proxy has a copy of the options, as if it were in another process. */
  readonly isProxyApart?: boolean;
  /** Sees each request that is accepted. */
  readonly handler?: (req: express.Request) => void;
}

/** Starts a server. Its resource is its own address, unless the policy names another one. */
export async function startIssuingServer(
  upstream: OpaqueLoginServer,
  { github, policy, store, handler, isProxyApart }: IssuingChanges = {},
): Promise<IssuingServer> {
  const app = express();
  const origin = await serve(app);
  const { lines, logger } = createRecordingLogger();
  const options = {
    provider: { github: { url: upstream.origin, allow: () => true, ...github } },
    clientId: LOGIN_CLIENT.id,
    clientSecret: LOGIN_CLIENT.secret,
    oauthProxy: { secret: SECRET },
    store,
    logger,
    ...policy,
    resourceMetadata: {
      resource: `${origin}/mcp`,
      scopesSupported: ['mcp.read', 'mcp.write'],
      ...(policy?.resourceMetadata as object | undefined),
    },
  } as unknown as McpAuthOptions;
  const auth = mcpAuth(options);
  app.use(protectedResourceMetadata(isProxyApart ? { ...options } : options));
  app.use('/mcp', auth, (req, res) => {
    handler?.(req);
    res.json(getAuth(req));
  });
  const base = `${origin}/.well-known/oauth-authorization-server/mcp`;
  const resource = new URL(String((options.resourceMetadata as { resource: string }).resource));
  upstream.state.callback = `${resource.origin}/.well-known/oauth-authorization-server/mcp/callback`;
  const call = async (token: unknown) => {
    const response = await fetch(`${origin}/mcp`, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  return { origin, base, lines, auth, call };
}

/** Starts both servers, and registers a client. */
export async function startIssuingFlow(behaviour: OpaqueLoginBehaviour = {}, changes: IssuingChanges = {}) {
  const upstream = await startOpaqueLoginServer(behaviour);
  const server = await startIssuingServer(upstream, changes);
  const client = await registerAt(server);
  return { upstream, server, client };
}

export async function registerAt({ base }: IssuingServer): Promise<RawClient> {
  const { body } = await postJson(`${base}/client-registration`, { client_name: 'Raw', redirect_uris: [REDIRECT_URI] });
  return rawClient(base, body.client_id as string);
}

/** Logs in and exchanges the code. */
export async function tokensOf(client: RawClient, changes: Record<string, string> = {}): Promise<Answer> {
  const code = (await client.logIn(changes)).get('code') ?? '';
  return client.token({ code });
}

/** Refreshes with a refresh token, at this server or at another replica. */
export function refreshAt(
  { base }: IssuingServer,
  client: RawClient,
  refreshToken: unknown,
  changes: Record<string, string> = {},
): Promise<Answer> {
  const form = { grant_type: 'refresh_token', client_id: client.id, refresh_token: String(refreshToken), ...changes };
  return postForm(`${base}/token`, form);
}

/** Revokes a token, as its client does at a logout. Resolves to the status. */
export async function revokeAt({ base }: IssuingServer, client: RawClient, token: unknown): Promise<number> {
  const body = new URLSearchParams({ client_id: client.id, token: String(token) });
  return (await fetch(`${base}/revocation`, { method: 'POST', body })).status;
}

/** Takes from this process what it remembers beside its policies, so that a server in it is like one in another process. */
export function forgetOwnMemory(): void {
  const { formats } = (globalThis as never)[Symbol.for('express-mcp-auth')] as {
    readonly formats: ReadonlyMap<number, ReadonlyMap<string, unknown>>;
  };
  for (const values of formats.values())
    for (const name of ['revoked logins', 'used codes']) (values.get(name) as Map<string, unknown>).clear();
}

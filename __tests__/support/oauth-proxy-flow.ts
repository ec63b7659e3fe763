import type { RequestHandler } from 'express';
import {
  createOAuthProxySeal,
  type OAuthProxySeal,
  type SealedContents,
} from '../../src/oauth-proxy/sealed-contents.js';
import { PROVIDERS, type ProviderName } from '../../src/providers/providers.js';
import { type GuardedServer, startGuardedServer } from './guarded-server.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS } from './provider-behaviours.js';
import { type ProviderServer, startProviderServer } from './provider-server.js';
import type { FillIn } from './user-agent.js';

export const SECRET = 'a secret of thirty-two characters';

export interface OAuthProxyFlow {
  readonly upstream: ProviderServer;
  readonly guarded: GuardedServer;
  /** The URL of the OAuth proxy's metadata. The endpoints are below it. */
  readonly base: string;
  /** The seal of the OAuth proxy. */
  readonly seal: OAuthProxySeal;
}

/**
 * Starts an authorization server that behaves like `name`, and an MCP server behind the OAuth proxy with the option `provider`. The
 * two differ only in tests of a wrong `provider`.
 */
export async function startOAuthProxyFlow(
  name: BehaviourName,
  provider: ProviderName = name,
  changes: Readonly<Record<string, unknown>> = {},
  mcp?: RequestHandler,
): Promise<OAuthProxyFlow> {
  const { kind, policy, client: given } = PROVIDER_BEHAVIOURS[name];
  const canRegister = PROVIDERS[provider].registration !== undefined;
  const client = given ?? (canRegister ? undefined : { id: 'registered-by-hand' });
  const upstream = await startProviderServer(kind);
  const policyFor = () => ({
    issuer: upstream.issuer,
    provider: { [provider]: {} },
    oauthProxy: { secret: SECRET },
    ...(client && { clientId: client.id }),
    ...(client && 'secret' in client && { clientSecret: client.secret }),
    ...policy,
    ...changes,
    resourceMetadata: { scopesSupported: ['mcp.read', 'offline_access'], ...(changes.resourceMetadata as object) },
  });
  const guarded = await startGuardedServer(policyFor, mcp);
  const base = `${guarded.origin}/.well-known/oauth-authorization-server/mcp`;
  if (client !== undefined) upstream.register({ ...client, redirectUri: `${base}/callback` });
  const { clientId, issuer, resourceMetadata } = policyFor() as {
    clientId?: string;
    issuer: string;
    resourceMetadata: object;
  };
  const { resource } = { resource: guarded.resource, ...resourceMetadata };
  return { upstream, guarded, base, seal: createOAuthProxySeal([SECRET], [resource, issuer, clientId ?? null]) };
}

/** Opens a value that the OAuth proxy sealed. */
export function unseal<P extends keyof SealedContents>(
  { seal }: OAuthProxyFlow,
  purpose: P,
  text: string,
): SealedContents[P] {
  const opened = seal.open(purpose, text);
  if (opened === undefined) throw new Error(`it is not sealed as ${purpose}`);
  return opened;
}

/** The token requests that the upstream authorization server received. */
export function tokenRequests({ upstream }: OAuthProxyFlow) {
  return upstream.requests
    .filter(({ path }) => path.endsWith('/token'))
    .map(({ form, authorization }) => ({ ...Object.fromEntries(form), authorization }));
}

/** Fills in the pages as a user would: allows the client, and logs in as alice. */
export const asAlice: FillIn = (fields) => ('request' in fields ? { decision: 'allow' } : { username: 'alice' });

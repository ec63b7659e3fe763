import type { RequestHandler } from 'express';
import {
  createOAuthProxySeal,
  type OAuthProxySeal,
  type SealedContents,
} from '../../src/oauth-proxy/sealed-contents.js';
import { PROVIDERS, type ProviderName } from '../../src/providers/providers.js';
import { type GuardedServer, startGuardedServer } from './guarded-server.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS, type Setup } from './provider-behaviours.js';
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
 * Starts an authorization server that behaves like `name`, and an MCP server behind the OAuth proxy with the policy that our documentation
 * recommends for it, or with another kind as its `provider`.
 */
export async function startOAuthProxyFlow(
  name: BehaviourName,
  provider?: ProviderName,
  changes: Readonly<Record<string, unknown>> = {},
  mcp?: RequestHandler,
): Promise<OAuthProxyFlow> {
  const { kind, policy, scopes, client: known }: Setup = PROVIDER_BEHAVIOURS[name];
  const canRegister = provider === undefined || PROVIDERS[provider].registration !== undefined;
  const client = known ?? (canRegister ? undefined : { id: 'registered-by-hand' });
  const upstream = await startProviderServer(kind);
  const all = {
    issuer: upstream.issuer,
    oauthProxy: { secret: SECRET },
    ...(client && { clientId: client.id, clientSecret: client.secret }),
    ...policy,
    ...(provider && { provider: { [provider]: {} } }),
    ...changes,
    resourceMetadata: {
      scopesSupported: ['mcp.read', 'offline_access'],
      ...(changes.resourceMetadata as object),
      ...(scopes && { scopesSupported: scopes }),
    },
  };
  // `undefined` means here that an option is left out. A policy refuses it where a secret belongs.
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as typeof all;
  const policyFor = () => ({ ...given });
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

import { SECRET } from './oauth-proxy-flow.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS, type Setup } from './provider-behaviours.js';
import { type ProviderServer, startProviderServer } from './provider-server.js';
import { type Replicas, startReplicas } from './replicas.js';

/** An authorization server of one kind, and replicas of an OAuth proxy in front of it. */
export interface DocumentFlow extends Replicas {
  readonly upstream: ProviderServer;
}

/** Starts both. The replicas are processes that trust the certificates of `client-documents.ts`. */
export async function startDocumentFlow(
  name: BehaviourName,
  changes: Readonly<Record<string, unknown>> = {},
  { replicas = 1 } = {},
): Promise<DocumentFlow> {
  const { kind, policy, client }: Setup = PROVIDER_BEHAVIOURS[name];
  const upstream = await startProviderServer(kind);
  const started = await startReplicas(
    ({ resource, base }) => {
      if (client !== undefined) upstream.register({ ...client, redirectUri: `${base}/callback` });
      return {
        issuer: upstream.issuer,
        oauthProxy: { secret: SECRET },
        ...(client && { clientId: client.id }),
        ...(client?.secret !== undefined && { clientSecret: client.secret }),
        ...policy,
        ...changes,
        resourceMetadata: { resource, scopesSupported: ['mcp.read', 'offline_access'] },
      };
    },
    { replicas },
  );
  return { ...started, upstream };
}

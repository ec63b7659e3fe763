import { CLIENT, IDENTITY_KINDS, type IdentityKindName, type IdentityServer } from './identity-flow.js';
import { SECRET } from './oauth-proxy-flow.js';
import { type Replicas, startReplicas } from './replicas.js';

/** Starts an identity provider, and replicas of an MCP server whose users log in there. Every account is allowed. */
export async function startIdentityReplicas(
  name: IdentityKindName,
  { replicas = 1 } = {},
): Promise<Replicas & { readonly upstream: IdentityServer }> {
  const { start, option, settings } = IDENTITY_KINDS[name];
  const upstream: IdentityServer = await start();
  const policyFor = ({ resource, base }: Pick<Replicas, 'resource' | 'base'>) => {
    upstream.register({ ...CLIENT, redirectUri: `${base}/callback` });
    return {
      provider: { [option]: { ...settings, dangerouslyAllowEveryone: true } },
      clientId: CLIENT.id,
      clientSecret: CLIENT.secret,
      oauthProxy: { secret: SECRET },
      resourceMetadata: { resource, scopesSupported: ['mcp.read', 'mcp.write'] },
    };
  };
  return { ...(await startReplicas(policyFor, { replicas, hosts: upstream })), upstream };
}

import { OAUTH_PROXY_METHODS, type OAuthProxyEndpointName } from '../oauth/well-known.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import { createServerMetadata } from '../upstream/server-metadata.js';
import { createClientAssertions } from './client-assertion.js';
import { createClientKeySets } from './client-keys.js';
import { createClientProbe } from './client-probe.js';
import { createClients } from './clients.js';
import type { OAuthProxyContext } from './context.js';
import { createClientDocuments } from './documents/client-documents.js';
import { knownMetadata } from './issuing/known-metadata.js';
import { createLoginCookies } from './login-cookie.js';
import { createPendingLogins } from './pending-logins.js';
import { createRefusalLog } from './refusal-log.js';
import { registerUpstream } from './register-upstream.js';
import { createOAuthProxySeal } from './sealed-contents.js';
import { createUpstreamClients } from './upstream-clients.js';

/** The rest of the policy, as far as the OAuth proxy needs it. */
export type PolicyRest = Pick<ResolvedAuth, 'clockToleranceSeconds' | 'logger' | 'staleIfErrorSeconds' | 'store'>;

/** Creates the parts that the endpoints of one OAuth proxy share. */
export function createContext(options: ResolvedOAuthProxy, rest: PolicyRest): OAuthProxyContext {
  const { resource, clientDocuments } = options;
  const { href } = resource;
  // Bound to resource, issuer and client id: after any of them changes, old refresh tokens and client ids must not open.
  const seal = createOAuthProxySeal(options.secrets, [href, options.issuer, options.client?.id ?? null]);
  const endpoints = endpointsOf(options);
  const refusals = createRefusalLog(options, rest.logger);
  const documents = createClientDocuments(clientDocuments, resource);
  if (clientDocuments.enabled && documents.obstacle !== undefined)
    rest.logger.warn(`OAuth proxy: metadata documents of clients are not announced: ${documents.obstacle}`);
  const upstream = upstreamOf(options, rest);
  const upstreamClients = createUpstreamClients(
    (members) => registerUpstream({ options, endpoints, upstream }, { members, authMethod: 'none' }),
    createClientProbe({ endpoints, upstream }),
  );
  return {
    options,
    endpoints,
    seal,
    clients: createClients({ options, seal, refusals, documents: clientDocuments.enabled ? documents : undefined }),
    assertions: createClientAssertions({
      ...rest,
      audiences: [href, endpoints.token],
      keySets: createClientKeySets(documents),
    }),
    announcesDocuments: clientDocuments.enabled && documents.obstacle === undefined,
    upstreamClients,
    loginCookies: createLoginCookies(seal, new URL(href)),
    pendingLogins: createPendingLogins(seal, new URL(href), new URL('.', endpoints.authorize).pathname),
    refusals,
    upstream,
  };
}

/** Nothing is fetched about an identity provider. */
function upstreamOf(options: ResolvedOAuthProxy, rest: PolicyRest): OAuthProxyContext['upstream'] {
  const { issuing, scopes, metadataUrls: urls, metadataIssuer: issuer, allowHttp } = options;
  if (issuing === undefined) return createServerMetadata({ urls, issuer, allowHttp, ...rest });
  const metadata = knownMetadata(issuing.identity.provider, scopes);
  return async () => metadata;
}

function endpointsOf({ resource, paths }: ResolvedOAuthProxy): OAuthProxyContext['endpoints'] {
  const names = Object.keys(OAUTH_PROXY_METHODS) as OAuthProxyEndpointName[];
  const urls = names.map((name) => [name, `${resource.origin}${paths[name][0]}`]);
  return Object.fromEntries(urls) as Record<OAuthProxyEndpointName, string>;
}

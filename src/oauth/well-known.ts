import { wellKnownPath, withoutClosingSlash } from '../http/well-known.js';

/** RFC 9728, section 3.1: the well-known segment goes between the host and the resource's path. */
export function resourceMetadataPath(resourcePath: string): string {
  return wellKnownPath('oauth-protected-resource', resourcePath);
}

/**
 * Returns every path at which the metadata of a resource is served: the one of RFC 9728, the same without a closing slash
 * (clients drop it before they insert the segment), and the root, where clients of a single resource look too.
 */
export function resourceMetadataPaths(resourcePath: string): ReadonlySet<string> {
  return new Set([
    resourceMetadataPath(resourcePath),
    resourceMetadataPath(withoutClosingSlash(resourcePath)),
    resourceMetadataPath('/'),
  ]);
}

const POST = Object.freeze(['POST', 'OPTIONS']);

/** The methods of the metadata endpoints. */
export const METADATA_METHODS = Object.freeze(['GET', 'HEAD', 'OPTIONS']);

/** The methods of the OAuth proxy's endpoints. Those that a browser navigates to have no preflight, so no OPTIONS. */
export const OAUTH_PROXY_METHODS = Object.freeze({
  metadata: METADATA_METHODS,
  registration: POST,
  authorize: Object.freeze(['GET', 'HEAD']),
  consent: Object.freeze(['POST']),
  callback: Object.freeze(['GET', 'HEAD']),
  token: POST,
  revocation: POST,
});

export type OAuthProxyEndpointName = keyof typeof OAUTH_PROXY_METHODS;

/** The paths of the OAuth proxy. Its metadata names the first of each list. */
export type OAuthProxyPaths = Readonly<Record<OAuthProxyEndpointName, readonly [string, ...string[]]>>;

/**
 * Returns the paths of an OAuth proxy whose issuer is the resource. Its metadata is at the path of RFC 8414, section 3.1, at
 * the root for clients of 2025-03-26, and at the two paths of OpenID Connect Discovery (segment inserted, and appended). The
 * endpoints are below the first, named as agentgateway names them.
 */
export function oauthProxyPaths(resourcePath: string, legacyEndpoints: boolean): OAuthProxyPaths {
  const path = withoutClosingSlash(resourcePath);
  const base = wellKnownPath('oauth-authorization-server', path);
  const atOrigin = (name: string) => (legacyEndpoints ? [name] : []);
  return {
    metadata: [
      base,
      `${wellKnownPath('oauth-authorization-server')}${resourcePath}`,
      wellKnownPath('oauth-authorization-server'),
      wellKnownPath('openid-configuration', path),
      `${path}${wellKnownPath('openid-configuration')}`,
    ],
    registration: [`${base}/client-registration`, ...atOrigin('/register')],
    authorize: [`${base}/authorize`, ...atOrigin('/authorize')],
    consent: [`${base}/consent`],
    callback: [`${base}/callback`],
    token: [`${base}/token`, ...atOrigin('/token')],
    revocation: [`${base}/revocation`],
  };
}

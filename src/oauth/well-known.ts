import { wellKnownPath, withoutClosingSlash } from '../http/well-known.js';

/** RFC 9728, section 3.1: the well-known segment goes between the host and the resource's path. */
export function resourceMetadataPath(resourcePath: string): string {
  return wellKnownPath('oauth-protected-resource', resourcePath);
}

/**
 * Every path at which the metadata of a resource is served: where RFC 9728 puts it, the same without a closing slash
 * (clients drop it before they insert), and the root, where clients of a single resource look too.
 */
export function resourceMetadataPaths(resourcePath: string): ReadonlySet<string> {
  return new Set([
    resourceMetadataPath(resourcePath),
    resourceMetadataPath(withoutClosingSlash(resourcePath)),
    resourceMetadataPath('/'),
  ]);
}

const POST = Object.freeze(['POST', 'OPTIONS']);

/** The methods of the documents. */
export const METADATA_METHODS = Object.freeze(['GET', 'HEAD', 'OPTIONS']);

/** The methods of the OAuth proxy's endpoints; what a person's browser calls has no preflight. */
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

/** The paths of the OAuth proxy; its metadata name the first of each list. */
export type OAuthProxyPaths = Readonly<Record<OAuthProxyEndpointName, readonly [string, ...string[]]>>;

/**
 * The metadata of an authorization server whose issuer is the resource: where RFC 8414, section 3.1, puts it, at the root
 * for clients of 2025-03-26, and where OpenID Connect Discovery is looked for, inserted and appended. The endpoints
 * stand beside it, named as agentgateway names them.
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

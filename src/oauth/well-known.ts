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

/** The OAuth proxy's metadata at the root of an origin, for clients of 2025-03-26. */
export const ROOT_METADATA_PATH = wellKnownPath('oauth-authorization-server');

/** The path where clients that read that metadata register. */
export const ROOT_REGISTRATION_PATH = `${ROOT_METADATA_PATH}/client-registration`;

export type OAuthProxyEndpointName = keyof typeof OAUTH_PROXY_METHODS;

/** The paths of the OAuth proxy. Its metadata names the first of each list, and at the root {@link ROOT_REGISTRATION_PATH}. */
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
  // The path may be that of the metadata, for a resource at /client-registration.
  const atRoot = ROOT_REGISTRATION_PATH === base ? [] : [ROOT_REGISTRATION_PATH];
  return {
    metadata: [
      base,
      `${wellKnownPath('oauth-authorization-server')}${resourcePath}`,
      ROOT_METADATA_PATH,
      wellKnownPath('openid-configuration', path),
      `${path}${wellKnownPath('openid-configuration')}`,
    ],
    registration: [`${base}/client-registration`, ...atRoot, ...atOrigin('/register')],
    authorize: [`${base}/authorize`, ...atOrigin('/authorize')],
    consent: [`${base}/consent`],
    callback: [`${base}/callback`],
    token: [`${base}/token`, ...atOrigin('/token')],
    revocation: [`${base}/revocation`],
  };
}

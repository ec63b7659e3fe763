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
  noKeys: METADATA_METHODS,
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

/** The authorization endpoint for clients of 2025-03-26 that read no metadata. */
export const LEGACY_AUTHORIZE_PATH = '/authorize';

/** The name of the empty key set, which OpenID metadata names if no ID token is issued: clients require `jwks_uri` there. */
const NO_KEYS = 'no-keys';

/** True for the address of an OAuth proxy's empty key set. */
export function isEmptyKeySet(url: string): boolean {
  return url.includes(`${ROOT_METADATA_PATH}/`) && url.endsWith(`/${NO_KEYS}`);
}

/** True for a path of OpenID Connect Discovery. */
export function isOpenIdPath(path: string): boolean {
  return path.includes(wellKnownPath('openid-configuration'));
}

export type OAuthProxyEndpointName = keyof typeof OAUTH_PROXY_METHODS;

/** The paths of the OAuth proxy. Its metadata names the first of each list. */
export interface OAuthProxyPaths extends Readonly<Record<OAuthProxyEndpointName, readonly [string, ...string[]]>> {
  /** The registration path that the metadata at the root of the origin names: {@link ROOT_REGISTRATION_PATH}, if it can. */
  readonly rootRegistration: string;
}

/** The place of an OAuth proxy. */
export interface OAuthProxyPlace {
  /** The path of the resource, which is the issuer. */
  readonly resourcePath: string;
  readonly legacyEndpoints: boolean;
  /** The path below which requests come to this server. Empty if it has the whole origin. */
  readonly prefix: string;
}

/**
 * Returns the paths of an OAuth proxy. Its metadata is at the path of RFC 8414, section 3.1, at the root for clients of
 * 2025-03-26, and at the two paths of OpenID Connect Discovery (segment inserted, and appended). The endpoints are below the
 * first, named as agentgateway names them. If this server has only a part of the origin, they are below the resource's path, and
 * clients find the metadata by OpenID Connect Discovery.
 */
export function oauthProxyPaths(place: OAuthProxyPlace): OAuthProxyPaths {
  const { resourcePath, prefix } = place;
  const path = withoutClosingSlash(resourcePath);
  const metadata = [
    wellKnownPath('oauth-authorization-server', path),
    `${ROOT_METADATA_PATH}${resourcePath}`,
    ROOT_METADATA_PATH,
    wellKnownPath('openid-configuration', path),
  ] as const;
  const appended = `${path}${wellKnownPath('openid-configuration')}`;
  if (prefix === '') return endpointsBelow(metadata[0], [...metadata, appended], place);
  const base = `${path}${ROOT_METADATA_PATH}`;
  return endpointsBelow(base, [base, appended, ...metadata], place);
}

function endpointsBelow(
  base: string,
  metadata: readonly [string, ...string[]],
  { legacyEndpoints, prefix }: OAuthProxyPlace,
): OAuthProxyPaths {
  // A reverse proxy may remove the prefix.
  const removed = (path: string) => (prefix !== '' && path.startsWith(`${prefix}/`) ? [path.slice(prefix.length)] : []);
  const at = (name: string, ...more: readonly string[]): readonly [string, ...string[]] => {
    const path = `${base}/${name}`;
    return [path, ...removed(path), ...more];
  };
  const atOrigin = (name: string) => (legacyEndpoints ? [name] : []);
  // The path may be that of the metadata, for a resource at /client-registration.
  const hasRoot = prefix === '' && ROOT_REGISTRATION_PATH !== base;
  return {
    metadata: [...metadata, ...metadata.flatMap(removed)],
    noKeys: at(NO_KEYS),
    registration: at('client-registration', ...(hasRoot ? [ROOT_REGISTRATION_PATH] : []), ...atOrigin('/register')),
    authorize: at('authorize', ...atOrigin(LEGACY_AUTHORIZE_PATH)),
    consent: at('consent'),
    callback: at('callback'),
    token: at('token', ...atOrigin('/token')),
    revocation: at('revocation'),
    rootRegistration: hasRoot ? ROOT_REGISTRATION_PATH : `${base}/client-registration`,
  };
}

/**
 * Returns the path below which requests come to a server whose resource metadata is at this URL. Empty if it has the whole origin.
 * If the root of the host belongs to another server, the URL lies below the path of the resource, or the well-known segment comes
 * after a part of that path.
 */
export function pathPrefixOf(resource: { readonly origin: string; readonly pathname: string }, url?: string): string {
  if (url === undefined) return '';
  const { origin, pathname } = new URL(url);
  const path = withoutClosingSlash(resource.pathname);
  const segment = pathname.indexOf(resourceMetadataPath('/'));
  const prefix = segment === -1 ? path : pathname.slice(0, segment);
  const isBelow = pathname.startsWith(`${prefix}/`) && `${path}/`.startsWith(`${prefix}/`);
  return origin === resource.origin && isBelow ? prefix : '';
}

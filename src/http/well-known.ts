/** Names below `/.well-known/` (RFC 8615), as they are registered. */
export type WellKnownName =
  | 'oauth-protected-resource'
  | 'oauth-authorization-server'
  | 'openid-configuration'
  | 'jwks.json';

/** A well-known path, followed by the path of whatever it describes; one that is empty or `/` adds nothing. */
export function wellKnownPath(name: WellKnownName, path = ''): string {
  return `/.well-known/${name}${path === '/' ? '' : path}`;
}

/** A path, an issuer or a resource, written with or without a slash at its end. */
export function withoutClosingSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}

/** Registered names below `/.well-known/` (RFC 8615). */
export type WellKnownName =
  | 'oauth-protected-resource'
  | 'oauth-authorization-server'
  | 'openid-configuration'
  | 'jwks.json';

/** Builds a well-known path, followed by the path of what it describes. An empty path or `/` adds nothing. */
export function wellKnownPath(name: WellKnownName, path = ''): string {
  return `/.well-known/${name}${path === '/' ? '' : path}`;
}

/** Removes one slash from the end of a path, an issuer or a resource. */
export function withoutClosingSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}

import type { Advice } from '../core/advice.js';
import type { RouteConfig } from './config/gateway-config.js';

/** The advice for requests that the route refuses and for weak settings, in the names of the file. */
export function adviceOf({ at, mcpAuthentication, credentials }: RouteConfig): Advice {
  const place = (mcpAuthentication ?? credentials)?.at ?? `${at}.policies.mcpAuthentication`;
  return {
    preflight: `set ${at}.policies.cors`,
    foreignHost: `set ${place}.resourceMetadata.resource to the address that clients use, or make the proxy send "Host: localhost"`,
    foreignOrigin: `add it to ${at}.policies.cors.allowOrigins, without "*"`,
    permissive: `set ${place}.mode to "strict"`,
    unknownLogin: credentials ? undefined : `set ${place}.resourceMetadata.authorizationServers`,
    // A "*" of the backend comes from originsForBackend() and not from the user, and only if every request needs a token.
    everyOrigin: undefined,
    names: new Map(),
  };
}

import { isAcceptableRedirectUri, LOOPBACK } from '../oauth/acceptable-redirect-uri.js';

/**
 * Finds the registered redirect URI that equals this one, byte for byte. The port of a loopback address may differ: a client
 * learns it only when it listens (RFC 8252, section 7.3).
 */
export function registeredRedirectUri(given: string, registered: readonly string[]): string | undefined {
  // `LOOPBACK` alone would accept a port that no URL can have, such as 99999.
  if (!isAcceptableRedirectUri(given)) return undefined;
  return registered.includes(given)
    ? given
    : registered.find((uri) => LOOPBACK.test(uri) && withoutPort(uri) === withoutPort(given));
}

function withoutPort(uri: string): string {
  return uri.replace(LOOPBACK, '$1');
}

/**
 * True if the operator allows this redirect URI.
 *
 * @param allowed Undefined allows all. `https://host/*` allows every URL of that host.
 */
export function isAllowedRedirectUri(uri: string, allowed: readonly string[] | undefined): boolean {
  if (allowed === undefined || registeredRedirectUri(uri, allowed) !== undefined) return true;
  return allowed.some((entry) => entry.endsWith('/*') && uri.startsWith(entry.slice(0, -1)));
}

/** True if the redirect URI is neither on this server's host nor on the user's computer. */
export function isForeignHttps(redirectUri: string, ourHost: string): boolean {
  const { protocol, host } = new URL(redirectUri);
  return protocol === 'https:' && host !== ourHost;
}

/** Adds parameters to a redirect URI, and leaves every byte of it as the client sent it. */
export function withParameters(uri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams(given)}`;
}

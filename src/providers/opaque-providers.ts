import { lowerAscii } from '../http/lower-ascii.js';

/** Authorization servers whose access tokens are opaque, with the hosts of their issuers. */
const OPAQUE_PROVIDERS = [
  { name: 'Google', hosts: ['accounts.google.com'] },
  { name: 'GitHub', hosts: ['github.com'] },
  { name: 'Slack', hosts: ['slack.com'] },
] as const;

/** Returns the name of a provider whose access tokens are opaque, in its own spelling; undefined for any other name. */
export function opaqueProviderOf(given: string): string | undefined {
  return OPAQUE_PROVIDERS.find(({ name }) => lowerAscii(name) === lowerAscii(given))?.name;
}

/** Returns the provider with this issuer, if its access tokens are opaque. */
export function opaqueProviderAt(issuer: string): string | undefined {
  // Google's tokens name the issuer without a scheme, too.
  const host = lowerAscii(issuer.replace(/^https?:\/\//i, '').replace(/[/:?#].*$/s, ''));
  return OPAQUE_PROVIDERS.find(({ hosts }) => hosts.some((known) => known === host))?.name;
}

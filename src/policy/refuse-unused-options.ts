import type { OptionChecks } from '../options/checks.js';
import type { TrustedIssuer } from './resolve-issuer.js';

/**
 * Refuses options that are only for logins, of issuers at which no client logs in.
 *
 * @param login The issuer of the OAuth proxy, if its tokens are relayed; `isOff` if there is no OAuth proxy.
 */
export function refuseUnusedOptions(
  checks: OptionChecks,
  issuers: readonly TrustedIssuer[],
  { trusted, isOff }: { readonly trusted: TrustedIssuer | undefined; readonly isOff: boolean },
): void {
  // Another issuer may have the same client: two names of one server.
  const isUnused = issuers.some(({ client }) => client !== undefined && client.id !== trusted?.client?.id);
  if (isUnused) refuseUnused(checks, 'clientId', isOff);
  const switches = issuers.filter((issuer) => issuer !== trusted).flatMap(({ switched }) => switched);
  // `metadata` also says where the keys and the introspection endpoint are named.
  const unused = switches.find((path) => !path.endsWith('.metadata'));
  if (unused !== undefined) refuseUnused(checks, unused, isOff);
}

function refuseUnused(checks: OptionChecks, option: string, isOff: boolean): never {
  if (isOff) {
    const expected = 'left out where oauthProxy is false: clients log in at the issuer itself';
    return checks.refuseUnquoted(option, expected, 'Remove it.');
  }
  const expected = 'given only for the first issuer with a provider: clients log in there, through the OAuth proxy';
  return checks.refuseUnquoted(option, expected, 'Remove it from the other issuers.');
}

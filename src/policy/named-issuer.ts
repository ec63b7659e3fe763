import type { OptionChecks } from '../options/checks.js';
import type { TrustedIssuer } from './resolve-issuer.js';

/**
 * Finds the issuer that an option names. The only issuer of a policy need not be named.
 *
 * @param at The option with the member `issuer`.
 */
export function requireNamedIssuer(
  checks: OptionChecks,
  name: string | undefined,
  issuers: readonly TrustedIssuer[],
  at: string,
): TrustedIssuer {
  const names = issuers.map(({ issuer }) => issuer);
  const found = name === undefined && issuers.length === 1 ? issuers[0] : issuers[names.indexOf(name ?? '')];
  const expected =
    name === undefined ? 'given where the policy has several issuers' : 'one of the issuers of the policy';
  const fix = `Write one of ${names.map((each) => JSON.stringify(each)).join(', ')}.`;
  return found ?? checks.refuse(`${at}.issuer`, expected, name, fix);
}

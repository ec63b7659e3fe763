import type { OptionChecks } from '../options/checks.js';
import type { TrustedIssuer } from './resolve-issuer.js';

/** Refuses an option of a login at the issuer, which `issuers` beside the one of the OAuth proxy have. */
export function refuseUnusedOption(checks: OptionChecks, option: string, trusted: TrustedIssuer | undefined): void {
  if (trusted === undefined) {
    checks.refuseUnquoted(
      option,
      'left out where oauthProxy is false: clients log in at the issuer itself',
      'Remove it.',
    );
  }
  const expected = 'given only for the first issuer with a provider: clients log in there, through the OAuth proxy';
  checks.refuseUnquoted(option, expected, 'Remove it from the other issuers.');
}

/**
 * Refuses switches of issuers at which no client logs in. Only the OAuth proxy uses them, except `metadata`, which also says where the keys
 * and the introspection endpoint are named.
 *
 * @param trusted The issuer of the OAuth proxy.
 */
export function refuseUnusedSwitches(
  checks: OptionChecks,
  issuers: readonly TrustedIssuer[],
  trusted: TrustedIssuer | undefined,
): void {
  const unused = issuers.filter((issuer) => issuer !== trusted).flatMap(({ switched }) => switched);
  const option = unused.find((path) => !path.endsWith('.metadata'));
  if (option !== undefined) refuseUnusedOption(checks, option, trusted);
}

/** Refuses an OAuth proxy whose clients get ids that are not among the audiences, although tokens name their client there. */
export function refuseUnknownClients(checks: OptionChecks, { provider, client, audienceClaim }: TrustedIssuer): void {
  if (client !== undefined || provider?.registration === undefined || audienceClaim !== 'client_id') return;
  const expected =
    'given where audienceClaim is "client_id": the id of a client that registers itself is not in "audiences"';
  const fix = 'Register a client there by hand, and give its id; or name another claim in audienceClaim.';
  checks.refuse('clientId', expected, undefined, fix);
}

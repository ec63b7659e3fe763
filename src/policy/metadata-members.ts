import { nearestName, type OptionChecks } from '../options/checks.js';

type MetadataMembers = Readonly<Record<string, unknown>>;

/** Shorter option names are similar to too many other words. */
const MIN_LENGTH = 9;
const MAX_DISTANCE = 2;

/**
 * Refuses members of `resourceMetadata` that have the name of an option of the policy. Members are only announced: a user
 * who writes `requiredScopes` there wants it enforced.
 *
 * @param options The names of the policy's options.
 */
export function refuseOptionsAsMembers(
  checks: OptionChecks,
  members: MetadataMembers,
  options: readonly string[],
): void {
  for (const name of Object.keys(members)) {
    const option =
      options.find((each) => each.toLowerCase() === name.toLowerCase()) ??
      nearestName(
        name,
        options.filter(({ length }) => length >= MIN_LENGTH),
        MAX_DISTANCE,
      );
    if (option === undefined || members[name] === undefined) continue;
    const expected = 'left out: members are announced to clients, and do nothing else';
    checks.refuseUnquoted(
      `resourceMetadata.${name}`,
      expected,
      `Write "${option}" next to "resourceMetadata", not inside it.`,
    );
  }
}

/** Refuses to announce that only bound tokens are accepted if the policy accepts others too. */
export function refuseUnenforcedMembers(
  checks: OptionChecks,
  members: MetadataMembers,
  enforced: { readonly dpop: boolean; readonly mtls: boolean },
): void {
  const announcements = [
    [
      'dpopBoundAccessTokensRequired',
      enforced.dpop,
      'Set senderConstraint.dpop.required to true, which announces it too.',
    ],
    ['tlsClientCertificateBoundAccessTokens', enforced.mtls, 'Set senderConstraint.mtls, which announces it too.'],
  ] as const;
  for (const [name, isEnforced, fix] of announcements) {
    if (members[name] !== true || isEnforced) continue;
    checks.refuse(`resourceMetadata.${name}`, 'left out where the policy does not require it', true, fix);
  }
}

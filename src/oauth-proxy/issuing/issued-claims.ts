import { printableJson } from '../../core/printable.js';
import type { Profile } from '../../providers/identity/identity-provider.js';
import type { IssuingContext } from './issuing-context.js';

/** Characters. Names at GitHub and GitLab have up to 255, email addresses 254. */
const MAX_TEXT = 256;
/** Bytes, as JSON. A longer list fits into no token, and would only make the refresh token longer. */
const MAX_LIST_BYTES = 4_608;

/**
 * Returns the members of a profile that our tokens carry. A user chooses some of them, so their size is bounded. A part of a list would be
 * misunderstood by rules that deny its members, so a list is left out as a whole.
 */
export function claimsOf(
  context: Pick<IssuingContext, 'identity' | 'warnOfLeftOutClaim'>,
  subject: string,
  profile: Profile,
): Profile {
  const given = Object.fromEntries(
    context.identity.provider.claims
      .filter((name) => Object.hasOwn(profile, name) && isClaim(profile[name]))
      .map((name) => [name, profile[name]]),
  );
  const { kept, leftOut } = split(given, isTooLong);
  warnOfLeftOut(context, subject, leftOut);
  return kept;
}

/** Claims, and the names of others that are left out. */
interface SplitClaims {
  readonly kept: Profile;
  readonly leftOut: readonly string[];
}

/** Leaves out lists, for a token that would be too long with them. */
export function withoutLists(claims: Profile): SplitClaims {
  return split(claims, Array.isArray);
}

/** Says, for the operator, which claims a token does not have. */
export function warnOfLeftOut(
  { warnOfLeftOutClaim: warn }: Pick<IssuingContext, 'warnOfLeftOutClaim'>,
  subject: string,
  names: readonly string[],
): void {
  const who = printableJson(subject, 200);
  for (const name of names) {
    warn(
      name,
      `OAuth proxy: the token of the account ${who} has no claim "${name}", which is too long for it; allow sees it, and rules about the token do not`,
    );
  }
}

function isClaim(value: unknown): boolean {
  const isTextList = Array.isArray(value) && value.every((item) => typeof item === 'string');
  return typeof value === 'boolean' || typeof value === 'string' || isTextList;
}

function isTooLong(value: unknown): boolean {
  if (Array.isArray(value)) return Buffer.byteLength(JSON.stringify(value)) > MAX_LIST_BYTES;
  return typeof value === 'string' && value.length > MAX_TEXT;
}

function split(claims: Profile, isLeftOut: (value: unknown) => boolean): SplitClaims {
  const names = Object.keys(claims);
  const kept = names.filter((name) => !isLeftOut(claims[name])).map((name) => [name, claims[name]]);
  return { kept: Object.fromEntries(kept), leftOut: names.filter((name) => isLeftOut(claims[name])) };
}

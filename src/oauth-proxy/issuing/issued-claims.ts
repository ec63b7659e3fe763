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
  return without(context, subject, given, isTooLong);
}

/** Returns the claims without lists, for a token that would be too long with them. */
export function withoutLists(
  context: Pick<IssuingContext, 'warnOfLeftOutClaim'>,
  subject: string,
  claims: Profile,
): Profile {
  return without(context, subject, claims, Array.isArray);
}

function isClaim(value: unknown): boolean {
  const isTextList = Array.isArray(value) && value.every((item) => typeof item === 'string');
  return typeof value === 'boolean' || typeof value === 'string' || isTextList;
}

function isTooLong(value: unknown): boolean {
  if (Array.isArray(value)) return Buffer.byteLength(JSON.stringify(value)) > MAX_LIST_BYTES;
  return typeof value === 'string' && value.length > MAX_TEXT;
}

function without(
  { warnOfLeftOutClaim: warn }: Pick<IssuingContext, 'warnOfLeftOutClaim'>,
  subject: string,
  claims: Profile,
  isLeftOut: (value: unknown) => boolean,
): Profile {
  const [kept, leftOut] = [new Map<string, unknown>(), new Map<string, unknown>()];
  for (const [name, value] of Object.entries(claims)) (isLeftOut(value) ? leftOut : kept).set(name, value);
  const who = printableJson(subject, 200);
  for (const name of leftOut.keys()) {
    warn(
      name,
      `OAuth proxy: the token of the account ${who} has no claim "${name}", which is too long for it; allow sees it, and rules about the token do not`,
    );
  }
  return Object.fromEntries(kept);
}

import type { Logger } from '../core/logger.js';
import { stringsIn } from '../http/json-object.js';
import type { OptionChecks } from '../options/checks.js';
import { isScopeList, requireScopes } from '../options/scope-list.js';

type MetadataMembers = Readonly<Record<string, unknown>>;

const OFFLINE_ACCESS = 'offline_access';
const OPTION = 'challengeScopes';
const FIX =
  'Leave it out for requiredScopes, write "supported" for those of resourceMetadata.scopesSupported, or list scopes.';

/** Reads the option `challengeScopes`: a list, or those that the metadata announces. */
export function resolveChallengeScopes(
  checks: OptionChecks,
  given: unknown,
  members: MetadataMembers,
): readonly string[] {
  if (given === undefined) return Object.freeze([]);
  if (given !== 'supported') {
    return typeof given === 'string'
      ? checks.refuse(OPTION, 'an array of scopes, or "supported"', given, FIX)
      : requireScopes(checks, given, OPTION, FIX);
  }
  const { scopesSupported: supported } = members;
  if (supported === undefined) {
    const expected = 'a list where resourceMetadata.scopesSupported is not given';
    return checks.refuse(OPTION, expected, given, 'Set resourceMetadata.scopesSupported too.');
  }
  if (!isScopeList(supported)) requireScopes(checks, supported, 'resourceMetadata.scopesSupported', FIX);
  return Object.freeze(stringsIn(supported).filter((scope) => scope !== OFFLINE_ACCESS));
}

/**
 * Warns about `offline_access` in the metadata of a server whose clients log in at the issuer itself: it is not a scope of the resource, and a
 * client that wants refresh tokens asks for it by itself. The metadata of an OAuth proxy announces the same scopes, and needs it.
 */
export function warnAboutOfflineAccess(who: string, { scopesSupported }: MetadataMembers, logger: Logger): void {
  if (!stringsIn(scopesSupported).includes(OFFLINE_ACCESS)) return;
  logger.warn(
    `${who}: resourceMetadata.scopesSupported has "${OFFLINE_ACCESS}", which is a scope of the authorization server and not of this server: ` +
      'clients that ask for every scope in the list are refused by servers that do not allow it. Remove it: clients that want refresh tokens ask for it anyway.',
  );
}

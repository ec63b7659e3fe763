import { UpstreamError } from '../../core/errors.js';
import { MissingMember } from '../../core/missing-member.js';
import { printableJson } from '../../core/printable.js';
import { SettleTimeout, settleInTime } from '../../core/settle-in-time.js';
import { asError } from '../../http/middleware.js';
import { OAuthError } from '../oauth-error.js';
import type { Identity } from './identity.js';
import type { IssuingContext } from './issuing-context.js';

/** The function `allow` has refused an account. */
export class AccountRefusal extends OAuthError {}

/**
 * Asks the function `allow` of the policy if this account may use the server. Only true allows it.
 *
 * @throws {AccountRefusal} `invalid_grant`.
 * @throws {OAuthError} The same, if the function throws.
 * @throws {UpstreamError} `login_rule_unavailable` if it does not answer in time.
 */
export async function requireAllowedAccount(
  { identity, logger, warnOfMissingMember }: Pick<IssuingContext, 'identity' | 'logger' | 'warnOfMissingMember'>,
  { subject, profile, claims }: Identity,
): Promise<void> {
  const { allow, option } = identity;
  if (allow === undefined) return;
  const who = `${option}.allow`;
  try {
    // A copy, so that the function cannot change the claims of the token.
    if ((await settleInTime(who, allow(structuredClone(profile)))) === true) return;
  } catch (thrown) {
    if (thrown instanceof SettleTimeout) {
      throw new UpstreamError('login_rule_unavailable', { cause: thrown, retryAfterSeconds: 5 });
    }
    const { name, message } = asError(thrown, who);
    // If this account lacks a member that the rule reads, such as `hd`, that is an ordinary refusal. But every account lacks a member whose name
    // is misspelled, so there is a warning too.
    if (!(thrown instanceof MissingMember)) {
      logger.error(`OAuth proxy: ${who} failed, so the login is refused: ${name}: ${printableJson(message, 300)}`);
      throw refusalOf(OAuthError, who, { subject, claims });
    }
    warnOfMissingMember(missingMemberLine(who, thrown));
  }
  throw refusalOf(AccountRefusal, who, { subject, claims });
}

function refusalOf(Kind: typeof OAuthError, who: string, { subject, claims }: Omit<Identity, 'profile'>): OAuthError {
  const login = claims.login ?? claims.email ?? claims.preferred_username ?? claims.nickname ?? claims.name;
  const named = login === undefined ? '' : `, ${printableJson(login, 200)}`;
  return new Kind('invalid_grant', 'This account may not use this server', 400, {
    reason: `the account ${printableJson(subject, 200)}${named} may not use this server`,
    advice: `nothing to do if that is right; otherwise change ${who}`,
  });
}

function missingMemberLine(who: string, { member }: MissingMember): string {
  const advice = 'if this account should have it, correct the name, or add the scope that brings it';
  return `OAuth proxy: ${who} reads ${printableJson(member, 200)}, which the profile of an account does not have, so its login is refused; ${advice}`;
}

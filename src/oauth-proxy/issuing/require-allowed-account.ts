import { UpstreamError } from '../../core/errors.js';
import { printableJson } from '../../core/printable.js';
import { SettleTimeout, settleInTime } from '../../core/settle-in-time.js';
import { asError } from '../../http/middleware.js';
import { OAuthError } from '../oauth-error.js';
import type { Identity } from './identity.js';
import type { IssuingContext } from './issuing-context.js';

/**
 * Asks the function `allow` of the policy if this account may use the server. Only true allows it.
 *
 * @throws {OAuthError} `invalid_grant`, also if the function throws.
 * @throws {UpstreamError} `login_rule_unavailable` if it does not answer in time.
 */
export async function requireAllowedAccount(
  { identity, logger }: Pick<IssuingContext, 'identity' | 'logger'>,
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
    logger.error(`OAuth proxy: ${who} failed, so the login is refused: ${name}: ${printableJson(message, 300)}`);
  }
  const login = claims.login ?? claims.email ?? claims.preferred_username ?? claims.nickname ?? claims.name;
  const named = login === undefined ? '' : `, ${printableJson(login, 200)}`;
  throw new OAuthError('invalid_grant', 'This account may not use this server', 400, {
    reason: `the account ${printableJson(subject, 200)}${named} may not use this server`,
    advice: `nothing to do if that is right; otherwise change ${who}`,
  });
}

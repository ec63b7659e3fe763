import type { RevokedTokens } from '../index.js';
import { AdminError } from './admin-error.js';
import type { AdminRoute } from './admin-source.js';
import { isShortened } from './bounded-texts.js';

/** Longer than an access token should live. */
const KEEP_SECONDS = 90 * 86_400;

const NO_AUTH =
  'No route has a login that can revoke tokens: give mcpAdmin() the option auth, or set mcpAuthentication in the configuration file';

const IN_CODE = 'the admin page does not know longer names. Revoke its tokens with revoke() of mcpAuth()';

/**
 * Revokes the tokens of a user or a client that were issued until now, by the policy of each route. A later login is accepted.
 *
 * @returns `until`: the time at which the revocation ends, in milliseconds since 1970. `untilRestart`: true if it ends with this process,
 * because a policy has no store.
 */
export function revokeTokens(
  routes: readonly AdminRoute[],
  { user, client, issuer }: Readonly<Record<string, unknown>>,
): { readonly revoked: true; readonly until: number; readonly untilRestart: boolean } {
  const revocations = routes.flatMap(({ revocation }) => revocation ?? []);
  if (revocations.length === 0) throw new AdminError(409, 'no_revocation', NO_AUTH);
  const what: RevokedTokens = {
    ...namesIn({ subject: user, client, issuer }),
    keepSeconds: KEEP_SECONDS,
  };
  if ((what.subject === undefined) === (what.client === undefined))
    throw new AdminError(400, 'invalid_body', 'Give either "user" or "client", and "issuer"');
  for (const { revoke } of revocations) revoke(what);
  const untilRestart = revocations.some(({ isShared }) => !isShared);
  return { revoked: true, until: Date.now() + KEEP_SECONDS * 1_000, untilRestart };
}

function namesIn(given: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  for (const [name, value] of entries) {
    const shown = name === 'subject' ? 'user' : name;
    if (typeof value !== 'string' || value === '')
      throw new AdminError(400, 'invalid_body', `"${shown}" must be a string, and not empty`);
    // It would revoke nothing, and the page would say that it has.
    if (isShortened(value))
      throw new AdminError(400, 'invalid_body', `"${shown}" is only the beginning of a name: ${IN_CODE}`);
  }
  return Object.fromEntries(entries) as Readonly<Record<string, string>>;
}

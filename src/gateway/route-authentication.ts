import { type Advice, noteAdvice } from '../core/advice.js';
import { type Logger, type McpAuthOptions, type Middleware, mcpAuth, protectedResourceMetadata } from '../index.js';
import { leaveRoot, rejoinRoot } from '../metadata/root-documents.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { policyOf } from '../policy/resolved-policy.js';
import { canonicalJson } from '../targets/several/canonical-json.js';
import type { RouteConfig } from './config/gateway-config.js';
import { plainChallenge } from './policies/plain-challenge.js';
import { checkKeys, type ReadyCheck } from './readiness.js';
import type { TakePart } from './reload/kept-parts.js';
import type { RouteShare } from './shared-store.js';
import { atPlace } from './startup-error.js';

/** The login of a route. */
export interface Authentication {
  readonly steps: readonly Middleware[];
  readonly check: ReadyCheck;
  readonly metadata: Middleware | undefined;
  readonly policy: ResolvedAuth;
}

interface Surroundings extends Pick<RouteShare, 'secret' | 'store'> {
  readonly logger: Logger;
  readonly advice: Advice;
  readonly take: TakePart;
}

/**
 * Creates the login of a route, or takes that of the route that it replaces: with its revocations, proofs and verified tokens.
 *
 * @throws {StartupError} If the policy is not valid.
 */
export function createAuthentication(
  { mcpAuthentication, credentials }: RouteConfig,
  { secret, store, logger, advice, take }: Surroundings,
): Authentication | undefined {
  const config = mcpAuthentication ?? credentials;
  if (config === undefined) return undefined;
  const { policy, at: place } = config;
  return take(mcpAuthentication ? 'mcpAuthentication' : 'credentials', canonicalJson([policy, secret]), () => {
    for (const warning of credentials?.warnings ?? []) logger.warn(warning);
    // The block has the members of a policy. mcpAuth() refuses any that it does not support.
    const options = { secret, ...policy, store, logger } as unknown as McpAuthOptions;
    noteAdvice(options, advice);
    return atPlace(place, () => {
      const auth = mcpAuth(options);
      const resolved = policyOf('mcpAuth()', auth);
      const check = checkKeys(place, auth);
      const value = mcpAuthentication
        ? { steps: [auth], check, metadata: protectedResourceMetadata(auth), policy: resolved }
        : { steps: [plainChallenge, auth], check, metadata: undefined, policy: resolved };
      return { value, end: () => leaveRoot(resolved), resume: () => rejoinRoot(resolved) };
    });
  });
}

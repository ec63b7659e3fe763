import type { RouteRevocation } from '../admin/admin-source.js';
import { checkKeys, type ReadyCheck } from '../admin/readiness.js';
import { type KeySetAge, keySetAgesOf } from '../auth/keys/key-set-ages.js';
import { shareRevocations } from '../auth/token/known-revocations.js';
import { type Advice, noteAdvice } from '../core/advice.js';
import {
  createMemoryStore,
  type Logger,
  type McpAuthOptions,
  type Middleware,
  mcpAuth,
  protectedResourceMetadata,
} from '../index.js';
import { leaveRoot, rejoinRoot } from '../metadata/root-documents.js';
import { policyOf } from '../policy/resolved-policy.js';
import { canonicalJson } from '../targets/several/canonical-json.js';
import type { RouteConfig } from './config/gateway-config.js';
import { withLoginRules } from './config/login-rules.js';
import { readSecretFiles } from './config/secret-file.js';
import type { InputFiles } from './input-files.js';
import { plainChallenge } from './policies/plain-challenge.js';
import type { ReuseOrCreate } from './reload/stateful-parts.js';
import type { CheckedLogin } from './server-faults.js';
import type { RouteShare } from './shared-store.js';
import { atPlace } from './startup-error.js';

/** The login of a route. */
export interface Authentication extends CheckedLogin {
  readonly steps: readonly Middleware[];
  readonly check: ReadyCheck;
  readonly metadata: Middleware | undefined;
  readonly revocation: RouteRevocation;
  /** Returns the ages of the key sets that it has fetched. */
  keySetAges(): readonly KeySetAge[];
}

interface LoginInputs extends Pick<RouteShare, 'secret' | 'store' | 'revocations'> {
  readonly logger: Logger;
  readonly advice: Advice;
  readonly files: InputFiles;
  readonly reuseOrCreate: ReuseOrCreate;
}

/**
 * Creates the login of a route, or takes that of the route that it replaces: with its proofs and verified tokens. Every login knows the
 * revocations of this process.
 *
 * @throws {StartupError} If the policy is not valid.
 */
export function createRouteLogin(
  { mcpAuthentication, credentials }: RouteConfig,
  { secret, store, revocations, logger, files, advice, reuseOrCreate }: LoginInputs,
): Authentication | undefined {
  const config = mcpAuthentication ?? credentials;
  if (config === undefined) return undefined;
  const { at: place } = config;
  const policy = readSecretFiles(config.policy, files);
  // Proofs that were used with the login of an earlier version stay used.
  const proofs = policy.senderConstraint && reuseOrCreate('proofs', '', () => ({ value: createMemoryStore() }));
  return reuseOrCreate(mcpAuthentication ? 'mcpAuthentication' : 'credentials', canonicalJson([policy, secret]), () => {
    for (const warning of credentials?.warnings ?? []) logger.warn(warning);
    // The block has the members of a policy. mcpAuth() refuses any that it does not support.
    return atPlace(place, () => {
      const options = {
        ...(secret !== undefined && { secret }),
        ...withLoginRules(policy),
        store: store ?? proofs,
        logger,
      } as unknown as McpAuthOptions;
      noteAdvice(options, advice);
      shareRevocations(options, revocations);
      const auth = mcpAuth(options);
      const resolved = policyOf('mcpAuth()', auth);
      const check = checkKeys(place, auth);
      const keySetAges = () => keySetAgesOf(auth);
      const revocation = { revoke: auth.revoke, isShared: store !== undefined };
      const checked = { check, at: place, policy: resolved, ready: auth.ready, keySetAges, revocation };
      const value = mcpAuthentication
        ? { ...checked, steps: [auth], metadata: protectedResourceMetadata(auth) }
        : { ...checked, steps: [plainChallenge, auth], metadata: undefined };
      return { value, end: () => leaveRoot(resolved), resume: () => rejoinRoot(resolved) };
    });
  });
}

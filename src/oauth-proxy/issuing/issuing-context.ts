import { LRUCache } from 'lru-cache';
import { createKeySet } from '../../auth/keys/create-key-set.js';
import type { KeySet } from '../../auth/keys/key-set.js';
import { createStoredRevocationMemory } from '../../auth/token/revocation-memory.js';
import type { Logger } from '../../core/logger.js';
import { createRareLine, createRareLines } from '../../core/rare-line.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { ResolvedIssuing } from '../../policy/resolve-issuing.js';
import type { OAuthProxyContext } from '../context.js';
import type { OAuthError } from '../oauth-error.js';
import { createRedeemedCodes, type RedeemedCodes } from './redeemed-codes.js';
import { createRenewals, type Renewals } from './renewals.js';
import { createSpentTokens, type SpentTokens } from './spent-tokens.js';
import { createUsedCodes, type UsedCodes } from './used-codes.js';

/** The parts of an OAuth proxy that issues tokens. */
export interface IssuingContext extends OAuthProxyContext, ResolvedIssuing {
  /** The keys of ID tokens. Undefined if the identity provider issues none. */
  readonly keySet: KeySet | undefined;
  readonly spent: SpentTokens;
  readonly renewals: Renewals;
  readonly redeemedCodes: RedeemedCodes;
  readonly usedCodes: UsedCodes;
  /** The logins whose accounts may not use this server, as {@link RedeemedCodes} has them, with the refusals. */
  readonly refusedCodes: LRUCache<string, OAuthError>;
  readonly logger: Logger;
  /** Writes one line a minute. */
  readonly warnOfMissingMember: (line: string) => void;
  /** Writes one line a minute. */
  readonly warnOfMissingPermission: (line: string) => void;
  /** Writes one line a minute for each claim. */
  readonly warnOfLeftOutClaim: (name: string, line: string) => void;
  readonly clockToleranceSeconds: number;
}

const REFUSED_CODES = { max: 1_000, ttl: 60_000 };

/** Creates the parts that only an OAuth proxy with an identity provider has; undefined for any other. */
export function createIssuingContext(
  context: OAuthProxyContext,
  rest: Pick<ResolvedAuth, 'clockToleranceSeconds' | 'logger' | 'staleIfErrorSeconds' | 'store'>,
): IssuingContext | undefined {
  const { issuing } = context.options;
  if (issuing === undefined) return undefined;
  const { logger, clockToleranceSeconds } = rest;
  const { idToken, issuer } = issuing.identity.provider;
  const keySet =
    idToken && createKeySet({ kind: 'url', url: new URL(idToken.jwksUrl), isDerived: false }, { issuer, ...rest });
  if (rest.store === undefined) {
    logger.info(
      'OAuth proxy: the policy has no store, so a refresh token can be used once in each process, and a revocation applies in one process',
    );
  }
  issuing.revocations.createIfAlone(() => createStoredRevocationMemory({ oauthProxy: context.options, ...rest }));
  return {
    ...context,
    ...issuing,
    keySet,
    spent: createSpentTokens(context.seal, rest),
    renewals: createRenewals(context.seal, rest),
    redeemedCodes: createRedeemedCodes(context.seal, rest),
    usedCodes: createUsedCodes(rest),
    refusedCodes: new LRUCache(REFUSED_CODES),
    logger,
    warnOfMissingMember: createRareLine((line) => logger.warn(line)),
    warnOfMissingPermission: createRareLine((line) => logger.warn(line)),
    warnOfLeftOutClaim: createRareLines((line) => logger.warn(line)),
    clockToleranceSeconds,
  };
}

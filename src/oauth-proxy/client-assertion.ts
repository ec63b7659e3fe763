import { createProofIds, createSharedProofIds, MAX_PROOFS, type ProofIds } from '../auth/binding/proof-ids.js';
import { isAcceptedAlgorithm, verifySignature } from '../auth/keys/signature.js';
import { isForAlgorithm } from '../auth/keys/verification-key.js';
import type { CompactJwt } from '../auth/token/compact-jwt.js';
import { AuthError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Parameters } from '../http/form.js';
import { createGuardedStore } from '../store/guarded-store.js';
import type { Store } from '../store/store.js';
import { assertionFault, assertionWindowSeconds, type ExpectedClaims, onceIdOf } from './assertion-claims.js';
import type { ClientKeySet, ClientKeySets, KeyedClient } from './client-keys.js';
import { publisherGroups } from './publisher-groups.js';
import { assertionRefusal, readAssertion } from './read-assertion.js';

/** The most keys that are tried for one assertion. A forged one is tried with each. */
const MAX_TRIED = 5;

/** Checks the assertions of clients that authenticate with `private_key_jwt` (OpenID Connect Core 1.0, section 9; RFC 7523). */
export interface ClientAssertions {
  /**
   * Checks that a form has the assertion of this client, and that it is used for the first time.
   *
   * @param caller The network of the caller, which counts its fetches.
   * @throws {OAuthError} `invalid_client`
   * @throws {UpstreamError} If its keys cannot be fetched, or it cannot be known whether the assertion was used before.
   */
  verify(client: KeyedClient, form: Parameters, caller: string): Promise<void>;
}

export interface AssertionOptions extends Omit<ExpectedClaims, 'clientId'> {
  readonly keySets: ClientKeySets;
  readonly store: Store | undefined;
  readonly logger: Logger;
}

/** @param max The most assertions that are remembered. */
export function createClientAssertions(options: AssertionOptions, max = MAX_PROOFS): ClientAssertions {
  const usedIds = usedIdsOf(options, max);
  return {
    async verify(client, form, caller) {
      const jwt = readAssertion(form);
      const fault = assertionFault(jwt, { ...options, clientId: client.url });
      if (fault !== undefined) throw assertionRefusal(fault);
      if (!isAcceptedAlgorithm(jwt.alg)) throw assertionRefusal('its alg is not accepted here');
      await verifyWithKeys(jwt, client, caller, options.keySets);
      // Counted by host, whatever its port: anyone can publish any number of documents on one.
      const isFirst = await usedIds.isFirst(new URL(client.url).hostname, `${client.url} ${onceIdOf(jwt)}`);
      if (!isFirst) throw assertionRefusal('it has been used before');
    },
  };
}

/** Replicas remember the assertions together if the policy has a store. */
function usedIdsOf({ clockToleranceSeconds, store, logger }: AssertionOptions, max: typeof MAX_PROOFS): ProofIds {
  const windowSeconds = assertionWindowSeconds(clockToleranceSeconds);
  const own = createProofIds(windowSeconds, max, publisherGroups);
  if (store === undefined) return own;
  const meanwhile = 'clients that authenticate with private_key_jwt are answered 503';
  const guarded = createGuardedStore(store, { who: 'OAuth proxy', meanwhile, logger });
  // The clocks of two replicas may differ by the tolerance, in both directions.
  return createSharedProofIds(own, store, guarded, windowSeconds + 2 * clockToleranceSeconds);
}

/** If no known key verifies it, newer ones are tried: a new key can also have the `kid` of the old one, or none. */
async function verifyWithKeys(
  jwt: CompactJwt,
  client: KeyedClient,
  caller: string,
  sets: ClientKeySets,
): Promise<void> {
  const known = await sets.get(client, caller);
  const fault = await signatureFault(jwt, known);
  if (fault === undefined) return;
  const newer = await sets.getNewer(client, caller, known);
  const newest = newer === undefined ? fault : await signatureFault(jwt, newer);
  if (newest !== undefined) throw assertionRefusal(newest);
}

/** Returns why no key verifies an assertion; undefined if one does. Clients may leave out `kid`, as the MCP SDKs do. Then each key is tried. */
async function signatureFault(jwt: CompactJwt, { keys }: ClientKeySet): Promise<string | undefined> {
  const { kid, alg } = jwt;
  const fitting = keys.filter((key) => (kid === undefined || key.kid === kid) && isForAlgorithm(key, alg));
  if (fitting.length > MAX_TRIED) return `its kid must single out one of the client's keys for ${alg}`;
  for (const { key } of fitting) {
    try {
      await verifySignature(jwt, key);
      return undefined;
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
    }
  }
  return 'no key that the client publishes verifies its signature';
}

import { AuthError, UpstreamError } from '../../core/errors.js';
import { credentialFormOf } from '../../oauth/credential-form.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { VerifiedToken } from '../token/token-cache.js';
import type { FindVerifier } from '../token/token-verifier.js';
import { createApiKeys } from './api-keys.js';
import { createIntrospection } from './introspection.js';
import { createIssuedVerifier } from './issued-tokens.js';
import { createOwnVerifier } from './own-verifier.js';
import { FUNCTION_LIMITS, RememberedAnswers } from './remembered-answers.js';

type Verify = (credential: string) => Promise<VerifiedToken>;

/**
 * Creates the function that decides which credential a request carries, and finds its verifier: a known API key, something with the
 * form of one, a token that this server issued, a JWT, or an opaque token, in this order.
 */
export function createCredentialVerifiers(resolved: ResolvedAuth): FindVerifier {
  const apiKeys = resolved.apiKeys && createApiKeys(resolved.apiKeys, resolved);
  const verifyKey = apiKeys?.verify ?? refuseKey;
  const verifyIssued = createIssuedVerifier(resolved);
  const verifiers = opaqueVerifiersOf(resolved);
  const issues = resolved.oauthProxy?.issuing !== undefined;
  // If no tokens are accepted, a caller can have nothing but a key, and should read that it is wrong.
  const hasOnlyKeys = apiKeys !== undefined && !issues && resolved.issuers.length + verifiers.length === 0;
  // Only a function can find a key without our prefix at this point.
  if (apiKeys !== undefined && resolved.apiKeys?.kind === 'function') verifiers.unshift(apiKeys.verify);
  return (credential, isApiKey) => {
    if (isApiKey || apiKeys?.includes(credential)) return verifyKey;
    const form = credentialFormOf(credential);
    // The client may have sent the identity provider's own token. An error that asks for a JWT would mislead it.
    if (form === 'issued' || (form === 'opaque' && issues && verifiers.length === 0)) return verifyIssued;
    // No other server may see what looks like a key of this one.
    if (form === 'apiKey' || (form === 'opaque' && hasOnlyKeys)) return verifyKey;
    return form === 'jwt' || verifiers.length === 0 ? undefined : (opaque) => verifyOpaque(opaque, verifiers);
  };
}

async function refuseKey(): Promise<never> {
  throw new AuthError('unknown_api_key', { hint: 'the policy has no apiKeys' });
}

function opaqueVerifiersOf(resolved: ResolvedAuth): Verify[] {
  const { introspection, verifiers } = resolved;
  const own = verifiers.map((verifier, i) => ({
    ask: createOwnVerifier(verifier, i, resolved),
    ...FUNCTION_LIMITS,
  }));
  const all =
    introspection === undefined
      ? own
      : [{ ...introspection, ask: createIntrospection(introspection, resolved) }, ...own];
  return all.map((source) => {
    const answers = new RememberedAnswers({ kind: 'opaque', refusal: 'inactive_token', ...source });
    return (token) => answers.verify(token);
  });
}

/** The first one that knows the token decides. If none does, but one could not be asked, the token may be good. */
async function verifyOpaque(token: string, verifiers: readonly Verify[]): Promise<VerifiedToken> {
  let outage: UpstreamError | undefined;
  for (const verify of verifiers) {
    try {
      return await verify(token);
    } catch (error) {
      if (error instanceof UpstreamError) outage ??= error;
      else if (!isUnknown(error)) throw error;
    }
  }
  throw outage ?? new AuthError('inactive_token');
}

function isUnknown(error: unknown): boolean {
  return error instanceof AuthError && (error.code === 'inactive_token' || error.code === 'unknown_api_key');
}

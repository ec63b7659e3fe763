import { createIssuedTokens, type IssuedTokens } from '../oauth/issued-token.js';
import { createIssuedTokenRevocations, type IssuedTokenRevocations } from '../oauth/issued-token-revocations.js';
import type { OptionChecks } from '../options/checks.js';
import { createProvider } from '../providers/provider-kind.js';
import type { ResolvedIdentity } from './resolve-identity.js';
import { SECRET_FIX } from './secrets.js';

/** The tokens that this server issues itself. The OAuth proxy makes them, and `mcpAuth()` opens them. */
export interface ResolvedIssuing {
  readonly identity: ResolvedIdentity;
  readonly tokens: IssuedTokens;
  /** Each `mcpAuth()` of the policy. */
  readonly revocations: IssuedTokenRevocations;
}

/** An identity provider, for the parts of the OAuth proxy that relay logins: it knows neither our resource nor our scopes. */
export const NOT_RELAYED = createProvider({
  switches: { registration: false, resource: false, prompts: [], severalPrompts: false },
});

export function resolveIssuing(
  identity: ResolvedIdentity,
  { secrets, resource }: { readonly secrets: readonly string[]; readonly resource: string },
): ResolvedIssuing {
  const binding = { resource, issuer: identity.provider.issuer, clientId: identity.client.id };
  return Object.freeze({
    identity,
    tokens: createIssuedTokens(secrets, binding),
    revocations: createIssuedTokenRevocations(),
  });
}

interface Given {
  readonly secret: readonly string[];
  readonly metadataUrl: unknown;
  readonly identity: ResolvedIdentity;
  readonly requiresCertificate: boolean;
}

/** Refuses options that do not go with tokens that this server issues. */
export function refuseForIssuing(
  checks: OptionChecks,
  { secret, metadataUrl, identity, requiresCertificate }: Given,
): void {
  const at = identity.option;
  if (secret.length === 0) {
    const expected = `given where ${at} is, since with a random one every login would end at a restart`;
    checks.refuseUnquoted('oauthProxy.secret', expected, SECRET_FIX);
  }
  if (metadataUrl !== undefined) {
    const expected = `left out where ${at} is given: the endpoints of that server are known`;
    checks.refuse('oauthProxy.metadataUrl', expected, metadataUrl, 'Remove it.');
  }
  if (requiresCertificate) {
    const expected = `false where ${at} is given: the tokens that this server issues are bound to no certificate`;
    checks.refuse('senderConstraint.mtls.required', expected, true, 'Remove it.');
  }
}

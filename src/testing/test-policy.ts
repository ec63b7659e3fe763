import { isRecord } from '../http/json-object.js';
import type { SingleIssuerPolicy } from '../index.js';
import { createChecks } from '../options/checks.js';
import type { IdentityProviderName } from '../policy/identity-tables.js';
import { resolveAudience } from '../policy/resolve-audience.js';
import type { Provider } from '../providers/provider.js';
import { createProvider } from '../providers/provider-kind.js';
import { PROVIDER_KINDS, PROVIDER_NAMES } from '../providers/providers.js';
import type { ProviderSwitches } from '../providers/switches.js';
import type { TestPolicyOptions } from './test-issuer.js';

/** Builds the policy of a test issuer. JavaScript may have the resource in `resourceMetadata` only, as a policy of production has it. */
export function buildTestPolicy(
  { resource, resourceMetadata, ...others }: TestPolicyOptions,
  own: Pick<SingleIssuerPolicy, 'issuer' | 'jwks'>,
): SingleIssuerPolicy {
  refuseOtherIssuers(others);
  return {
    ...others,
    ...own,
    resourceMetadata: { ...resourceMetadata, resource: resource ?? resourceMetadata?.resource },
  };
}

/** Not those of `policy/`, whose tables of options would be loaded with `express-mcp-auth/testing`. */
const IDENTITY_PROVIDERS: Readonly<Record<IdentityProviderName, true>> = {
  github: true,
  google: true,
  gitlab: true,
  oauth2: true,
};

/** Otherwise the messages of `mcpAuth()` would be about `issuer` and `jwks`, which the developer did not write. */
function refuseOtherIssuers({ issuers, provider }: Readonly<Record<string, unknown>>): void {
  const checks = createChecks('policy()');
  if (issuers !== undefined) {
    const fix = 'For several, write issuers: [{ issuer, jwks }, …] with these two of the policy of each test issuer.';
    checks.refuseUnquoted('issuers', 'left out, since the policy of a test issuer has one issuer', fix);
  }
  if (isRecord(provider) && Object.keys(provider).some((name) => Object.hasOwn(IDENTITY_PROVIDERS, name))) {
    const expected = 'left out where users log in at an identity provider, since such a policy has no issuer';
    const fix = 'Leave out clientId and clientSecret too: tokens of the test issuer replace those of the login.';
    checks.refuseUnquoted('provider', expected, fix);
  }
}

/** The audience of tokens, and the claim that names it. */
export interface TestAudience {
  readonly claim: string;
  readonly audience: string | undefined;
}

/** Returns the first audience that a policy accepts. */
export function testAudienceOf(policy: SingleIssuerPolicy): TestAudience {
  const { audiences, audienceClaim, provider, clientId, resourceMetadata } = policy;
  const checks = createChecks('mcpAuth()');
  const known = providerOf(provider);
  const chosen = known === undefined ? undefined : { provider: known, switched: [] };
  const { resource } = resourceMetadata ?? {};
  const accepted = audiences ?? (resource === undefined ? [] : [resource]);
  const resolved = resolveAudience(checks, { audiences, audienceClaim, chosen, clientId }, accepted, '');
  return { claim: resolved.audienceClaim, audience: resolved.audiences[0] ?? resource };
}

/** Returns undefined for a provider that `mcpAuth()` refuses. */
function providerOf(option: unknown): Provider | undefined {
  const given: Readonly<Record<string, unknown>> = isRecord(option) ? option : { [String(option)]: {} };
  const name = PROVIDER_NAMES.find((each) => isRecord(given[each]));
  return name === undefined ? undefined : createProvider(PROVIDER_KINDS[name], given[name] as ProviderSwitches);
}

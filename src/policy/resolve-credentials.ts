import { canParseUrl } from '../http/can-parse-url.js';
import { isRecord } from '../http/json-object.js';
import type { OptionChecks } from '../options/checks.js';
import {
  asGiven,
  type OptionTable,
  optional,
  type ResolvedOptions,
  readOptions,
  text,
  wholeNumber,
  word,
} from '../options/option-table.js';
import { membersOf, SECRET, TEXT } from '../options/value-type.js';
import { PROVIDERS } from '../providers/providers.js';
import type { CredentialOptions, IntrospectionOptions, Verifier } from './credential-options.js';
import { TENANT_ID } from './issuer-tenants.js';
import { requireNamedIssuer } from './named-issuer.js';
import { API_KEYS_TYPE, type ApiKeySource, resolveApiKeys } from './resolve-api-keys.js';
import type { TrustedIssuer } from './resolve-issuer.js';
import { LOCATION_TYPE, type ResolvedLocation, resolveLocation } from './resolve-location.js';
import { requireServerUrl } from './server-url.js';

const INTROSPECTION_FIX = 'Write { clientId: …, clientSecret: … }, as they are registered at the authorization server.';
const VERIFIERS_FIX = 'Write verifiers: [async (token) => …], or [(token) => provider.verifyAccessToken(token)].';

export const INTROSPECTION_TABLE = {
  endpoint: { type: TEXT, read: asGiven },
  issuer: { type: TEXT, read: optional(text('Name one of the issuers of the policy.')) },
  clientId: { type: TEXT, read: text(INTROSPECTION_FIX) },
  clientSecret: { type: SECRET, read: (checks, value, option) => checks.secret(value, option, 1, INTROSPECTION_FIX) },
  authMethod: word(
    ['client_secret_basic', 'client_secret_post'],
    'client_secret_basic',
    'Leave it out for "client_secret_basic".',
  ),
  maxAgeSeconds: wholeNumber(60, 1),
  maxBytes: wholeNumber(16_777_216, 1),
  maxCallsPerSecond: wholeNumber(50, 1),
} satisfies OptionTable<IntrospectionOptions>;

/** The options of a policy about credentials. {@link resolveCredentials} checks the rest. */
export const CREDENTIAL_TABLE = {
  apiKeys: { type: API_KEYS_TYPE, read: resolveApiKeys },
  introspection: {
    type: membersOf('introspection', INTROSPECTION_TABLE),
    read: optional((checks, value, option) => {
      const given = checks.recordWithSecret(value, option, INTROSPECTION_FIX);
      return readOptions(checks, INTROSPECTION_TABLE, given, option);
    }),
  },
  verifiers: { default: [], read: requireVerifiers },
  authorizationLocation: { type: LOCATION_TYPE, read: resolveLocation },
} satisfies OptionTable<CredentialOptions>;

type ReadCredentials = ResolvedOptions<typeof CREDENTIAL_TABLE>;

/** Introspection at the server of one issuer (RFC 7662). */
export interface ResolvedIntrospection
  extends Omit<NonNullable<ReadCredentials['introspection']>, 'endpoint' | 'issuer'> {
  /** Undefined: the metadata names it. */
  readonly endpoint: URL | undefined;
  readonly trusted: TrustedIssuer;
  /** The addresses of the metadata, and the `issuer` that it must name. */
  readonly metadataUrls: readonly URL[];
  readonly metadataIssuer: string;
  readonly allowHttp: boolean;
}

/** The resolved options about credentials. */
export interface ResolvedCredentials {
  readonly apiKeys: ApiKeySource | undefined;
  readonly introspection: ResolvedIntrospection | undefined;
  readonly verifiers: readonly Verifier[];
  /** Undefined for the standard place. */
  readonly authorizationLocation: ResolvedLocation | undefined;
}

interface RestOfPolicy {
  readonly issuers: readonly TrustedIssuer[];
  readonly allowHttp: boolean;
  readonly dpop: 'off' | 'accept' | 'require';
  /** True if every token must be bound to a client certificate. */
  readonly requiresCertificate: boolean;
}

/** Checks the options about credentials that depend on the rest of the policy. */
export function resolveCredentials(
  checks: OptionChecks,
  read: ReadCredentials,
  { issuers, allowHttp, dpop, requiresCertificate }: RestOfPolicy,
): ResolvedCredentials {
  const { apiKeys, introspection, authorizationLocation } = read;
  if (authorizationLocation !== undefined && dpop !== 'off') {
    const expected = 'left out where senderConstraint.dpop is given, whose tokens come in "Authorization: DPoP"';
    checks.refuseUnquoted('authorizationLocation', expected, 'Remove one of the two.');
  }
  if (apiKeys !== undefined && dpop === 'require') {
    const expected = 'left out where senderConstraint.dpop.required is true: an API key is not bound to anything';
    checks.refuseUnquoted('apiKeys', expected, 'Remove one of the two.');
  }
  if (apiKeys !== undefined && requiresCertificate) requireBoundKey(checks, apiKeys);
  return {
    ...read,
    introspection: introspection && resolveIntrospection(checks, introspection, issuers, allowHttp),
  };
}

/** A function may give the certificate of each key. A list without keys may be a file that gets some later. */
function requireBoundKey(checks: OptionChecks, source: ApiKeySource): void {
  if (source.kind === 'function' || source.keys.size === 0) return;
  if ([...source.keys.values()].some(({ claims: { cnf } }) => isRecord(cnf) && Object.hasOwn(cnf, 'x5t#S256'))) return;
  const expected =
    'left out where senderConstraint.mtls.required is true: none of these keys is bound to a certificate';
  const fix = 'Remove one of the two, or bind each key: "claims": { "cnf": { "x5t#S256": "…" } }.';
  checks.refuseUnquoted('apiKeys', expected, fix);
}

function resolveIntrospection(
  checks: OptionChecks,
  { endpoint, issuer, ...simple }: NonNullable<ReadCredentials['introspection']>,
  issuers: readonly TrustedIssuer[],
  allowHttp: boolean,
): ResolvedIntrospection {
  if (issuers.length === 0) {
    const expected = 'left out where an identity provider is all that the policy has: this server issues the tokens';
    checks.refuseUnquoted('introspection', expected, 'Remove it.');
  }
  const trusted = requireNamedIssuer(checks, issuer, issuers, 'introspection');
  if (trusted.tenants !== undefined) {
    const expected = `left out where its issuer has ${TENANT_ID}: an answer without "iss" names no tenant`;
    checks.refuseUnquoted('introspection', expected, 'Write one policy for each tenant.');
  }
  const url =
    endpoint === undefined ? undefined : requireServerUrl(checks, endpoint, 'introspection.endpoint', allowHttp);
  if (url === undefined && !canParseUrl(trusted.issuer)) {
    const expected = 'given, since it is looked up only for an issuer that is a URL';
    checks.refuse('introspection.endpoint', expected, undefined, 'Give the address of the introspection endpoint.');
  }
  const { metadataUrls, metadataIssuer } = trusted.provider ?? PROVIDERS.standard;
  return Object.freeze({
    ...simple,
    endpoint: url,
    trusted,
    metadataUrls: url === undefined ? metadataUrls(trusted.issuer).map((each) => new URL(each)) : [],
    metadataIssuer: metadataIssuer(trusted.issuer),
    allowHttp,
  });
}

function requireVerifiers(checks: OptionChecks, value: unknown, option: string): readonly Verifier[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'function')) return Object.freeze([...value]);
  return checks.refuse(option, 'a list of functions', value, VERIFIERS_FIX);
}

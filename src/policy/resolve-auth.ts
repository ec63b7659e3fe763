import { requireArgument } from '../options/argument.js';
import { createChecks, type OptionChecks } from '../options/checks.js';
import { resolveLogger } from '../options/logger-option.js';
import {
  asGiven,
  flag,
  group,
  type OptionReader,
  type OptionTable,
  oneOf,
  optional,
  type ResolvedOptions,
  readRows,
  wholeNumber,
} from '../options/option-table.js';
import { requireScopes } from '../options/scope-list.js';
import type { AuthDecision } from './auth-decision.js';
import type { McpAuthOptions, MtlsOptions, SharedOptions, TokenCacheOptions } from './auth-options.js';
import { refuseIdlePromises, refuseOptionsAsMembers } from './metadata-members.js';
import { type McpAuthMode, MODES } from './modes.js';
import { ISSUER_OPTIONS, type IssuerContext, resolveIssuer, type TrustedIssuer } from './resolve-issuer.js';
import { type ResolvedOAuthProxy, resolveOAuthProxy } from './resolve-oauth-proxy.js';
import { RESOURCE_FIX, type ResourceIdentity, resolveResource } from './resolve-resource.js';
import { resolveSecrets, SECRET_FIX } from './secrets.js';
import { warnAboutUnusableIssuers } from './unusable-issuers.js';

const VERIFIED_TOKENS_FIX = 'Give { maxAgeSeconds, maxEntries, maxBytes }, or false to verify every request again.';

export const TOKEN_CACHE_TABLE = {
  maxAgeSeconds: wholeNumber(300, 1, VERIFIED_TOKENS_FIX),
  maxEntries: wholeNumber(10_000, 1, VERIFIED_TOKENS_FIX),
  maxBytes: wholeNumber(67_108_864, 1, VERIFIED_TOKENS_FIX),
} satisfies OptionTable<TokenCacheOptions>;

const MTLS_FIX = 'Write { getCertificate: (req) => …, required: true }.';

export const MTLS_TABLE = {
  getCertificate: { read: requireFunction<MtlsOptions['getCertificate']>(MTLS_FIX) },
  required: flag(false, MTLS_FIX),
} satisfies OptionTable<MtlsOptions>;

/** The options of a policy that stand once, whether it names one issuer or several. */
export const SHARED_TABLE = {
  mode: {
    default: 'strict',
    read: oneOf(
      Object.keys(MODES) as McpAuthMode[],
      'Leave it out for "strict", which refuses every request without a valid token.',
    ),
  },
  resourceMetadata: { default: {}, read: resolveResource },
  requiredScopes: {
    default: [],
    read: (checks, value, option) => requireScopes(checks, value, option, 'Leave it out if a valid token is enough.'),
  },
  clockToleranceSeconds: wholeNumber(30, 0),
  maxTokenBytes: wholeNumber(16_384, 1),
  staleIfErrorSeconds: wholeNumber(86_400, 0),
  verifiedTokens: {
    default: {},
    read: (checks, value, option) =>
      value === false ? undefined : group(TOKEN_CACHE_TABLE, VERIFIED_TOKENS_FIX)(checks, value, option),
  },
  dpop: {
    default: 'off',
    read: oneOf(['off', 'accept', 'require'], 'Leave it out for "off", which refuses bound tokens.'),
  },
  mtls: { read: optional(group(MTLS_TABLE, MTLS_FIX)) },
  oauthProxy: { read: asGiven },
  sessionOwners: {
    default: 'remember',
    read: oneOf(['remember', 'sign', 'off'], 'Leave it out for "remember", which needs no secret.'),
  },
  secret: { read: resolveSecrets },
  dangerouslyAllowHttp: flag(false),
  onDecision: {
    read: optional(
      requireFunction<(decision: AuthDecision) => void>('Give a function that takes the decision, or leave it out.'),
    ),
  },
  logger: { read: resolveLogger },
} satisfies OptionTable<SharedOptions>;

const POLICY_OPTIONS = [...Object.keys(SHARED_TABLE), 'issuers', ...ISSUER_OPTIONS];

/** The policy as the two middlewares use it: nothing is optional any more, and the options are not read again. */
export interface ResolvedAuth
  extends Omit<
    ResolvedOptions<typeof SHARED_TABLE>,
    'mode' | 'resourceMetadata' | 'oauthProxy' | 'secret' | 'dangerouslyAllowHttp'
  > {
  readonly modeName: McpAuthMode;
  /** Of `secret`: the first signs session ids, all verify. Empty where there is none. */
  readonly secrets: readonly string[];
  /** In the order given; each issuer once. */
  readonly issuers: readonly TrustedIssuer[];
  /** Undefined if the resource follows the origin of each request. */
  readonly resource: ResourceIdentity | undefined;
  /** As given, but for `resource`; checked. */
  readonly metadataMembers: Readonly<Record<string, unknown>>;
  /** Undefined where clients log in at the issuers themselves. */
  readonly oauthProxy: ResolvedOAuthProxy | undefined;
}

/**
 * Checks a policy and fills in the defaults.
 *
 * @param who The function that the developer called, for example `mcpAuth()`.
 * @throws {ConfigError}
 */
export function resolveAuth(who: string, options: Readonly<McpAuthOptions>): ResolvedAuth {
  const checks = createChecks(who);
  const given = requireArgument(checks, options, { example: '{ issuer: …, resourceMetadata: { resource: … } }' });
  checks.knownKeys(given, '', POLICY_OPTIONS);
  const read = readRows(checks, SHARED_TABLE, given);
  const { mode, resourceMetadata, oauthProxy, secret: secrets, dangerouslyAllowHttp: allowHttp, ...simple } = read;
  const { resource, members: metadataMembers } = resourceMetadata;
  const { dpop, mtls } = simple;
  refuseOptionsAsMembers(checks, metadataMembers, POLICY_OPTIONS);
  refuseIdlePromises(checks, metadataMembers, { dpop: dpop === 'require', mtls: mtls !== undefined });
  if (dpop === 'require' && mtls?.required) {
    const expected = 'other than "require" where mtls.required is true';
    checks.refuse('dpop', expected, dpop, 'A token is bound in one way only.');
  }
  if (dpop !== 'off' && resource === undefined) {
    const expected = `given where dpop is "${dpop}", since a proof is checked against it and not against the Host header`;
    checks.refuse('resourceMetadata.resource', expected, undefined, RESOURCE_FIX);
  }
  if (simple.sessionOwners === 'sign' && secrets.length === 0) {
    checks.refuseUnquoted('secret', 'given where sessionOwners is "sign"', SECRET_FIX);
  }
  const issuers = resolveIssuers(checks, given, { resource: resource?.href, allowHttp });
  warnAboutUnusableIssuers(who, issuers, simple.logger);
  const requiresProof = dpop === 'require';
  return Object.freeze({
    ...simple,
    modeName: mode,
    secrets,
    issuers,
    resource,
    metadataMembers,
    oauthProxy: resolveOAuthProxy(checks, oauthProxy, { issuers, resource, metadataMembers, allowHttp, requiresProof }),
  });
}

function resolveIssuers(
  checks: OptionChecks,
  given: Record<string, unknown>,
  shared: Omit<IssuerContext, 'path'>,
): readonly TrustedIssuer[] {
  if (given.issuers === undefined) return Object.freeze([resolveIssuer(checks, given, { path: '', ...shared })]);
  for (const key of ISSUER_OPTIONS) {
    if (given[key] !== undefined) {
      const [expected, fix] = ['left out beside "issuers"', 'Move it into the entries of "issuers".'] as const;
      if (key === 'clientSecret') checks.refuseUnquoted(key, expected, fix);
      else checks.refuse(key, expected, given[key], fix);
    }
  }
  const list = given.issuers;
  if (!Array.isArray(list) || list.length === 0) {
    return checks.refuse('issuers', 'a non-empty array', list, 'Name each issuer whose tokens you accept.');
  }
  const issuers = list.map((item: unknown, i) => {
    const path = `issuers[${i}]`;
    const entry = checks.record(item, path, 'Write { issuer: …, jwks: … }.');
    checks.knownKeys(entry, path, ISSUER_OPTIONS);
    return resolveIssuer(checks, entry, { path, ...shared });
  });
  const names = issuers.map(({ issuer }) => issuer);
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice !== -1) {
    checks.refuse(`issuers[${twice}].issuer`, 'named once', names[twice], 'Put all its audiences into one entry.');
  }
  return Object.freeze(issuers);
}

function requireFunction<T>(fix: string): OptionReader<T> {
  return (checks, value, option) =>
    typeof value === 'function' ? (value as T) : checks.refuse(option, 'a function', value, fix);
}

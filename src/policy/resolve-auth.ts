import { adviceFor } from '../core/advice.js';
import { TENANT } from '../oauth/tenant-paths.js';
import { requireArgument } from '../options/argument.js';
import { createChecks, type OptionChecks } from '../options/checks.js';
import { resolveLogger } from '../options/logger-option.js';
import {
  asGiven,
  callback,
  flag,
  type OptionTable,
  optional,
  type ResolvedOptions,
  readRows,
  wholeNumber,
  word,
} from '../options/option-table.js';
import { requireScopes } from '../options/scope-list.js';
import { constant, either, membersOf, numberFrom, oneOfWords, SECRETS, TEXTS } from '../options/value-type.js';
import { readStore } from '../store/store-option.js';
import { warnAboutUnknownLogin } from './announced-servers.js';
import type { AuthDecision } from './auth-decision.js';
import type { McpAuthOptions, SharedOptions } from './auth-options.js';
import { resolveChallengeScopes, warnAboutOfflineAccess } from './challenge-scopes.js';
import { refuseOptionsAsMembers, refuseUnenforcedMembers } from './metadata-members.js';
import { type McpAuthMode, MODES } from './modes.js';
import { CREDENTIAL_TABLE, type ResolvedCredentials, resolveCredentials } from './resolve-credentials.js';
import { warnOfEveryone } from './resolve-identity.js';
import { ISSUER_OPTIONS, type TrustedIssuer } from './resolve-issuer.js';
import { resolveIssuers } from './resolve-issuers.js';
import { OAUTH_PROXY_TABLE, type ResolvedOAuthProxy, resolveOAuthProxy } from './resolve-oauth-proxy.js';
import { METADATA_TYPE, RESOURCE_FIX, type ResourceIdentity, resolveResource } from './resolve-resource.js';
import {
  type ResolvedSenderConstraint,
  resolveSenderConstraint,
  SENDER_CONSTRAINT_TABLE,
} from './resolve-sender-constraint.js';
import { type ResolvedExchange, resolveExchange, UPSTREAM_TOKEN_ROW } from './resolve-upstream-token.js';
import { resolveSecrets, SECRET_FIX } from './secrets.js';
import { TOKEN_CACHE_ROW } from './token-cache-options.js';
import { warnAboutUnusableIssuers } from './unusable-issuers.js';

/** The options of a policy that are not options of one issuer. */
export const SHARED_TABLE = {
  mode: word(
    Object.keys(MODES) as McpAuthMode[],
    'strict',
    'Leave it out for "strict", which refuses every request without a valid token.',
  ),
  resourceMetadata: { default: {}, type: METADATA_TYPE, read: resolveResource },
  requiredScopes: {
    default: [],
    type: TEXTS,
    read: (checks, value, option) => requireScopes(checks, value, option, 'Leave it out if a valid token is enough.'),
  },
  challengeScopes: { type: either(TEXTS, oneOfWords(['supported'])), read: asGiven },
  clockToleranceSeconds: wholeNumber(30, 0),
  maxTokenBytes: wholeNumber(16_384, 1),
  staleIfErrorSeconds: wholeNumber(86_400, 0),
  tokenCache: TOKEN_CACHE_ROW,
  maxFailedVerificationsPerSecond: {
    type: numberFrom(1),
    read: optional((checks, value, option) => checks.integer(value, option, 1, 'Leave it out for no limit.')),
  },
  extra: {
    read: optional(
      callback<NonNullable<SharedOptions['extra']>>('Give a function that takes the AuthInfo, or leave it out.'),
    ),
  },
  stripAuthorization: flag(false),
  senderConstraint: {
    default: {},
    type: membersOf('senderConstraint', SENDER_CONSTRAINT_TABLE),
    read: resolveSenderConstraint,
  },
  oauthProxy: { type: either(membersOf('oauthProxy', OAUTH_PROXY_TABLE), constant(false)), read: asGiven },
  upstreamToken: UPSTREAM_TOKEN_ROW,
  sessionOwners: word(['remember', 'sign', 'off'], 'remember', 'Leave it out for "remember", which needs no secret.'),
  secret: { type: SECRETS, read: resolveSecrets },
  store: { read: readStore },
  dangerouslyAllowHttp: flag(false),
  onDecision: {
    read: optional(
      callback<(decision: AuthDecision) => void>('Give a function that takes the decision, or leave it out.'),
    ),
  },
  logger: { read: resolveLogger },
} satisfies OptionTable<SharedOptions>;

const POLICY_OPTIONS = [...Object.keys(SHARED_TABLE), ...Object.keys(CREDENTIAL_TABLE), 'issuers', ...ISSUER_OPTIONS];

/** A checked policy with its defaults filled in. The options object is not read again. */
export interface ResolvedAuth
  extends Omit<
      ResolvedOptions<typeof SHARED_TABLE>,
      | 'mode'
      | 'resourceMetadata'
      | 'challengeScopes'
      | 'senderConstraint'
      | 'oauthProxy'
      | 'upstreamToken'
      | 'secret'
      | 'dangerouslyAllowHttp'
    >,
    ResolvedSenderConstraint,
    ResolvedCredentials {
  readonly modeName: McpAuthMode;
  /** The option `secret`: the first one signs session ids, all verify. Empty if absent. */
  readonly secrets: readonly string[];
  /** In the order given; each issuer once. */
  readonly issuers: readonly TrustedIssuer[];
  /** Undefined if the resource follows the origin of each request. */
  readonly resource: ResourceIdentity | undefined;
  /** The URL of the metadata in challenges; undefined if it follows from the resource. May have `{tenant}` in it if the resource has. */
  readonly metadataUrl: string | undefined;
  /** Scopes that a 401 names besides `requiredScopes`. */
  readonly challengeScopes: readonly string[];
  /** The other members of `resourceMetadata`, checked. */
  readonly metadataMembers: Readonly<Record<string, unknown>>;
  /** Undefined if clients log in at the issuers themselves. */
  readonly oauthProxy: ResolvedOAuthProxy | undefined;
  /** Undefined if no tokens are exchanged. */
  readonly exchange: ResolvedExchange | undefined;
}

/**
 * Checks a policy and fills in the defaults.
 *
 * @param who The function that the developer called, for example `mcpAuth()`.
 * @throws {ConfigError} If an option is missing or wrong.
 */
export function resolveAuth(who: string, options: Readonly<McpAuthOptions>): ResolvedAuth {
  const checks = createChecks(who);
  const given = requireArgument(checks, options, { example: '{ issuer: …, resourceMetadata: { resource: … } }' });
  checks.knownKeys(given, '', POLICY_OPTIONS);
  const read = readRows(checks, SHARED_TABLE, given);
  const {
    mode,
    resourceMetadata,
    senderConstraint,
    oauthProxy,
    upstreamToken,
    secret: secrets,
    dangerouslyAllowHttp: allowHttp,
    challengeScopes,
    ...simple
  } = read;
  const { resource, url: metadataUrl, members: metadataMembers } = resourceMetadata;
  const { dpop, mtls } = senderConstraint;
  refuseOptionsAsMembers(checks, metadataMembers, POLICY_OPTIONS);
  refuseUnenforcedMembers(checks, metadataMembers, { dpop: dpop === 'require', mtls: mtls !== undefined });
  requireNeededOptions(checks, { ...simple, dpop, resource, secrets });
  const { issuers, identity } = resolveIssuers(checks, given, { resource: resource?.href, allowHttp });
  const credentials = resolveCredentials(checks, readRows(checks, CREDENTIAL_TABLE, given), {
    issuers,
    allowHttp,
    dpop,
    requiresCertificate: mtls?.required === true,
  });
  if (identity !== undefined) warnOfEveryone(who, identity, simple.logger);
  refuseForTenants(checks, resource, credentials);
  refuseTenantAudiences(checks, resource, issuers);
  const acceptsOpaque = credentials.introspection !== undefined || credentials.verifiers.length > 0;
  const isUnusable = warnAboutUnusableIssuers(who, issuers, { acceptsOpaque, logger: simple.logger });
  if (MODES[mode].withBadToken === 'pass') simple.logger.warn(weaknessOf(who, mode, options));
  const challenged = resolveChallengeScopes(checks, challengeScopes, metadataMembers);
  const neededScopes = [...simple.requiredScopes, ...challenged];
  const rest = { issuers, identity, resource, metadataUrl, metadataMembers, neededScopes, allowHttp, dpop };
  const proxy = resolveOAuthProxy(checks, oauthProxy, { ...rest, requiresCertificate: mtls?.required === true });
  if (proxy === undefined) warnAboutOfflineAccess(who, metadataMembers, simple.logger);
  if (!isUnusable) warnAboutUnknownLogin(who, options, { ...rest, ...credentials, ...simple, oauthProxy: proxy });
  return Object.freeze({
    ...simple,
    ...senderConstraint,
    ...credentials,
    modeName: mode,
    secrets,
    issuers,
    resource,
    metadataUrl,
    metadataMembers,
    challengeScopes: challenged,
    oauthProxy: proxy,
    exchange: upstreamToken && resolveExchange(checks, upstreamToken.exchange, { issuers, allowHttp }),
  });
}

function weaknessOf(who: string, mode: McpAuthMode, options: object): string {
  const weakness = `mode is "${mode}", so requests pass without a token, and with one that is not valid`;
  return `${who}: ${weakness}: ${adviceFor(options, who).permissive}`;
}

/** Refuses options that need another one. */
function requireNeededOptions(
  checks: OptionChecks,
  { dpop, resource, sessionOwners, secrets }: Pick<ResolvedAuth, 'dpop' | 'resource' | 'sessionOwners' | 'secrets'>,
): void {
  if (dpop !== 'off' && resource === undefined) {
    const expected =
      'given where senderConstraint.dpop is, since a proof is checked against it and not against the Host header';
    checks.refuse('resourceMetadata.resource', expected, undefined, RESOURCE_FIX);
  }
  if (sessionOwners === 'sign' && secrets.length === 0) {
    checks.refuseUnquoted('secret', 'given where sessionOwners is "sign"', SECRET_FIX);
  }
}

/** A key, or the answer of another server, is remembered for all paths: it would be good for every tenant. */
function refuseForTenants(
  checks: OptionChecks,
  resource: ResourceIdentity | undefined,
  { apiKeys, introspection, verifiers }: ResolvedCredentials,
): void {
  if (resource?.tenants === undefined) return;
  const given = { apiKeys, introspection, verifiers: verifiers.length > 0 ? verifiers : undefined };
  for (const [option, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const expected = 'left out where the resource has {tenant}: only JWTs name the tenant that they are for';
    checks.refuseUnquoted(option, expected, 'Write one policy for each tenant.');
  }
}

/** Without a tenant in the path, `{tenant}` would stand for nothing, and no token would fit. */
function refuseTenantAudiences(
  checks: OptionChecks,
  resource: ResourceIdentity | undefined,
  issuers: readonly TrustedIssuer[],
): void {
  const audience = issuers.flatMap(({ audiences }) => audiences).find((name) => name.includes(TENANT));
  if (audience === undefined || resource?.tenants !== undefined) return;
  const fix = 'Write it in resourceMetadata.resource too: "https://mcp.example.com/{tenant}/mcp".';
  checks.refuse('audiences', 'without {tenant} where the resource has none', audience, fix);
}

import type { Logger } from '../core/logger.js';
import type { DpopMode } from '../oauth/challenge.js';
import { requireArgument } from '../options/argument.js';
import { createChecks, type OptionChecks, optionNames } from '../options/checks.js';
import { resolveLogger } from '../options/logger-option.js';
import { requireScopes } from '../options/scope-list.js';
import {
  AUTH_DEFAULTS,
  type IssuerOptions,
  type McpAuthOptions,
  type MtlsOptions,
  type SingleIssuerPolicy,
  type VerifiedTokensOptions,
} from './auth-options.js';
import type { Decision } from './decision.js';
import { MODES, type ModeName } from './modes.js';
import { type ResolvedFacade, resolveFacade } from './resolve-facade.js';
import { ISSUER_OPTIONS, type IssuerContext, resolveIssuer, type TrustedIssuer } from './resolve-issuer.js';
import { type ResourceIdentity, resolveResource } from './resolve-resource.js';

/** What the two middlewares hold of the policy: nothing is optional any more, and nothing is read from the user again. */
export interface ResolvedAuth {
  readonly modeName: ModeName;
  /** In the order given; each issuer once. */
  readonly issuers: readonly TrustedIssuer[];
  /** Undefined where the origin of each request stands in. */
  readonly resource: ResourceIdentity | undefined;
  /** As given, but for `resource`; checked. */
  readonly metadataMembers: Readonly<Record<string, unknown>>;
  readonly requiredScopes: readonly string[];
  readonly clockToleranceSeconds: number;
  readonly maxTokenBytes: number;
  readonly staleIfErrorSeconds: number;
  readonly verifiedTokens: Readonly<{ maxAgeSeconds: number; maxEntries: number }> | undefined;
  readonly dpop: DpopMode;
  readonly mtls: Readonly<{ getCertificate: MtlsOptions['getCertificate']; required: boolean }> | undefined;
  /** Undefined where clients log in at the issuers themselves. */
  readonly facade: ResolvedFacade | undefined;
  readonly onDecision: ((decision: Decision) => void) | undefined;
  readonly logger: Logger;
}

const SHARED_OPTIONS = optionNames<Omit<SingleIssuerPolicy, keyof IssuerOptions>>({
  mode: true,
  resourceMetadata: true,
  requiredScopes: true,
  clockToleranceSeconds: true,
  maxTokenBytes: true,
  staleIfErrorSeconds: true,
  verifiedTokens: true,
  dpop: true,
  mtls: true,
  facade: true,
  dangerouslyAllowHttp: true,
  onDecision: true,
  logger: true,
  issuers: true,
});

/**
 * Checks a policy and fills in the defaults.
 *
 * @param who The function that the developer called, for example `mcpAuth()`.
 * @throws {ConfigError}
 */
export function resolveAuth(who: string, options: Readonly<McpAuthOptions>): ResolvedAuth {
  const checks = createChecks(who);
  const given = requireArgument(checks, options, { example: '{ issuer: …, resourceMetadata: { resource: … } }' });
  checks.knownKeys(given, '', [...SHARED_OPTIONS, ...ISSUER_OPTIONS]);
  const { resource, members } = resolveResource(checks, given.resourceMetadata);
  const whole = (key: 'clockToleranceSeconds' | 'maxTokenBytes' | 'staleIfErrorSeconds', least: number): number =>
    given[key] === undefined
      ? AUTH_DEFAULTS[key]
      : checks.integer(given[key], key, least, `Leave it out for ${AUTH_DEFAULTS[key]}.`);
  const allowHttp =
    given.dangerouslyAllowHttp === undefined
      ? AUTH_DEFAULTS.dangerouslyAllowHttp
      : checks.boolean(given.dangerouslyAllowHttp, 'dangerouslyAllowHttp', 'Leave it out for false.');
  const binding = resolveSenderConstraint(checks, given);
  const issuers = resolveIssuers(checks, given, { resource: resource?.href, allowHttp });
  return Object.freeze({
    modeName: resolveMode(checks, given.mode),
    issuers,
    resource,
    metadataMembers: members,
    requiredScopes: resolveScopes(checks, given.requiredScopes),
    clockToleranceSeconds: whole('clockToleranceSeconds', 0),
    maxTokenBytes: whole('maxTokenBytes', 1),
    staleIfErrorSeconds: whole('staleIfErrorSeconds', 0),
    verifiedTokens: resolveVerifiedTokens(checks, given.verifiedTokens),
    ...binding,
    facade: resolveFacade(checks, given.facade, {
      issuers,
      resource,
      metadataMembers: members,
      allowHttp,
      requiresProof: binding.dpop === 'require',
    }),
    onDecision: resolveHook(checks, given.onDecision),
    logger: resolveLogger(checks, given.logger),
  });
}

function resolveMode(checks: OptionChecks, mode: unknown): ModeName {
  const names = Object.keys(MODES) as ModeName[];
  if (mode === undefined) return AUTH_DEFAULTS.mode;
  return checks.oneOf(
    mode,
    'mode',
    names,
    'Leave it out for "strict", which refuses every request without a valid token.',
  );
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
    return resolveIssuer(checks, entry, { path: `${path}.`, ...shared });
  });
  const names = issuers.map(({ issuer }) => issuer);
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice !== -1) {
    checks.refuse(`issuers[${twice}].issuer`, 'named once', names[twice], 'Put all its audiences into one entry.');
  }
  return Object.freeze(issuers);
}

function resolveScopes(checks: OptionChecks, scopes: unknown): readonly string[] {
  if (scopes === undefined) return AUTH_DEFAULTS.requiredScopes;
  return requireScopes(checks, scopes, 'requiredScopes', 'Leave it out if a valid token is enough.');
}

const VERIFIED_TOKENS_OPTIONS = optionNames<VerifiedTokensOptions>({ maxAgeSeconds: true, maxEntries: true });

function resolveVerifiedTokens(checks: OptionChecks, given: unknown): ResolvedAuth['verifiedTokens'] {
  if (given === false) return undefined;
  const fix = 'Give { maxAgeSeconds, maxEntries }, or false to verify every request anew.';
  const options = given === undefined ? {} : checks.record(given, 'verifiedTokens', fix);
  checks.knownKeys(options, 'verifiedTokens', VERIFIED_TOKENS_OPTIONS);
  const whole = (key: 'maxAgeSeconds' | 'maxEntries'): number =>
    options[key] === undefined ? AUTH_DEFAULTS[key] : checks.integer(options[key], `verifiedTokens.${key}`, 1, fix);
  return Object.freeze({ maxAgeSeconds: whole('maxAgeSeconds'), maxEntries: whole('maxEntries') });
}

function resolveSenderConstraint(
  checks: OptionChecks,
  given: Record<string, unknown>,
): Pick<ResolvedAuth, 'dpop' | 'mtls'> {
  const modes = ['off', 'accept', 'require'] as const;
  const fix = 'Leave it out for "off", which refuses bound tokens.';
  const dpop = given.dpop === undefined ? AUTH_DEFAULTS.dpop : checks.oneOf(given.dpop, 'dpop', modes, fix);
  const mtls = given.mtls === undefined ? undefined : resolveMtls(checks, given.mtls);
  if (dpop === 'require' && mtls?.required) {
    checks.refuse(
      'dpop',
      'other than "require" where mtls.required is true',
      dpop,
      'A token is bound in one way only.',
    );
  }
  return { dpop, mtls };
}

const MTLS_OPTIONS = optionNames<MtlsOptions>({ getCertificate: true, required: true });

function resolveMtls(checks: OptionChecks, value: unknown): ResolvedAuth['mtls'] {
  const fix = 'Write { getCertificate: (req) => …, required: true }.';
  const given = checks.record(value, 'mtls', fix);
  checks.knownKeys(given, 'mtls', MTLS_OPTIONS);
  const { getCertificate, required } = given;
  if (typeof getCertificate !== 'function') checks.refuse('mtls.getCertificate', 'a function', getCertificate, fix);
  return Object.freeze({
    getCertificate: getCertificate as MtlsOptions['getCertificate'],
    required: required === undefined ? false : checks.boolean(required, 'mtls.required', fix),
  });
}

function resolveHook(checks: OptionChecks, hook: unknown): ResolvedAuth['onDecision'] {
  if (hook === undefined || typeof hook === 'function') return hook as ResolvedAuth['onDecision'];
  return checks.refuse('onDecision', 'a function', hook, 'Give a function that takes the decision, or leave it out.');
}

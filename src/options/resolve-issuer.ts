import { AUTH_DEFAULTS, type IssuerOptions } from './auth-options.js';
import type { OptionChecks } from './checks.js';
import { deriveKeySource, type KeySource, resolveKeySource } from './jwks.js';

/** An issuer whose tokens are accepted, as we hold it. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly audienceClaim: string;
  readonly keySource: KeySource;
  readonly requiredClaims: readonly string[];
  readonly scopesClaim: string | undefined;
}

export const ISSUER_KEYS = [
  'issuer',
  'audiences',
  'audienceClaim',
  'jwks',
  'jwtValidationOptions',
  'scopesClaim',
] as const satisfies (keyof IssuerOptions)[];

/** `path` is empty or ends in a dot. */
export function resolveIssuer(
  checks: OptionChecks,
  given: Readonly<Record<string, unknown>>,
  path: string,
  resource: string | undefined,
): TrustedIssuer {
  const name = (key: keyof IssuerOptions) => `${path}${key}`;
  const issuer = checks.string(given.issuer, name('issuer'), 'Name the "iss" of the tokens you accept.');
  return Object.freeze({
    issuer,
    audiences: resolveAudiences(checks, given.audiences, name('audiences'), resource),
    audienceClaim:
      given.audienceClaim === undefined
        ? AUTH_DEFAULTS.audienceClaim
        : checks.string(given.audienceClaim, name('audienceClaim'), 'Leave it out for "aud".'),
    keySource:
      given.jwks === undefined
        ? deriveKeySource(checks, name('jwks'), issuer)
        : resolveKeySource(checks, given.jwks, name('jwks')),
    requiredClaims: resolveRequiredClaims(checks, given.jwtValidationOptions, name('jwtValidationOptions')),
    scopesClaim:
      given.scopesClaim === undefined
        ? undefined
        : checks.string(given.scopesClaim, name('scopesClaim'), 'Leave it out if "scope" and "scp" are enough.'),
  });
}

function resolveAudiences(
  checks: OptionChecks,
  given: unknown,
  option: string,
  resource: string | undefined,
): readonly string[] {
  const fix =
    'Name what your authorization server writes into "aud", or leave it out to use resourceMetadata.resource.';
  if (given === undefined && resource !== undefined) return Object.freeze([resource]);
  if (!Array.isArray(given) || given.length === 0) {
    return checks.refuse(option, 'a non-empty array of non-empty strings', given, fix);
  }
  return checks.strings(given, option, fix);
}

function resolveRequiredClaims(checks: OptionChecks, given: unknown, option: string): readonly string[] {
  if (given === undefined) return AUTH_DEFAULTS.requiredClaims;
  const fix = 'Write { requiredClaims: ["exp", …] }.';
  const options = checks.record(given, option, fix);
  checks.knownKeys(options, option, ['requiredClaims']);
  if (options.requiredClaims === undefined) return AUTH_DEFAULTS.requiredClaims;
  return checks.strings(options.requiredClaims, `${option}.requiredClaims`, fix);
}

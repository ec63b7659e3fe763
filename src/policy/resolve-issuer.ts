import { type OptionChecks, optionNames } from '../options/checks.js';
import { type Provider, STANDARD } from '../providers/provider.js';
import { AUTH_DEFAULTS, type IssuerOptions } from './auth-options.js';
import { deriveKeySource, type KeySource, resolveKeySource } from './jwks.js';
import { resolveClient, resolveProvider, type StaticClient } from './resolve-provider.js';

/** An issuer whose tokens are accepted, as we hold it. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly audienceClaim: string;
  readonly keySource: KeySource;
  readonly requiredClaims: readonly string[];
  readonly scopesClaim: string | undefined;
  /** Undefined where clients log in at the issuer itself. */
  readonly provider: Provider | undefined;
  readonly client: StaticClient | undefined;
}

export const ISSUER_OPTIONS = optionNames<IssuerOptions>({
  issuer: true,
  audiences: true,
  audienceClaim: true,
  jwks: true,
  jwtValidationOptions: true,
  scopesClaim: true,
  provider: true,
  clientId: true,
  clientSecret: true,
});

/** What a policy says once for all its issuers. */
export interface IssuerContext {
  /** Empty, or ends in a dot. */
  readonly path: string;
  readonly resource: string | undefined;
  readonly allowHttp: boolean;
}

export function resolveIssuer(
  checks: OptionChecks,
  given: Readonly<Record<string, unknown>>,
  { path, resource, allowHttp }: IssuerContext,
): TrustedIssuer {
  const name = (key: keyof IssuerOptions) => `${path}${key}`;
  const issuer = checks.string(given.issuer, name('issuer'), 'Name the "iss" of the tokens you accept.');
  const provider = resolveProvider(checks, given.provider, name('provider'));
  const { jwksUrl } = provider ?? STANDARD;
  return Object.freeze({
    issuer,
    audiences: resolveAudiences(checks, given.audiences, name('audiences'), resource),
    audienceClaim:
      given.audienceClaim === undefined
        ? AUTH_DEFAULTS.audienceClaim
        : checks.string(given.audienceClaim, name('audienceClaim'), 'Leave it out for "aud".'),
    keySource:
      given.jwks === undefined
        ? deriveKeySource(checks, name('jwks'), { issuer, jwksUrl, allowHttp })
        : resolveKeySource(checks, given.jwks, name('jwks'), allowHttp),
    requiredClaims: resolveRequiredClaims(checks, given.jwtValidationOptions, name('jwtValidationOptions')),
    scopesClaim:
      given.scopesClaim === undefined
        ? undefined
        : checks.string(given.scopesClaim, name('scopesClaim'), 'Leave it out if "scope" and "scp" are enough.'),
    provider,
    client: resolveClient(checks, given, path),
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

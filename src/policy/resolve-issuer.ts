import type { OptionChecks } from '../options/checks.js';
import {
  asGiven,
  type OptionTable,
  optional,
  type ResolvedOptions,
  readOptions,
  readRows,
} from '../options/option-table.js';
import { STANDARD } from '../providers/provider.js';
import type { IssuerOptions, JwtValidationOptions } from './auth-options.js';
import { deriveKeySource, type KeySource, resolveKeySource } from './jwks.js';
import { resolveClient, resolveProvider, type StaticClient } from './resolve-provider.js';

const CLAIMS_FIX = 'Write { requiredClaims: ["exp", …] }.';

export const VALIDATION_TABLE = {
  requiredClaims: { default: ['exp'], read: (checks, value, option) => checks.strings(value, option, CLAIMS_FIX) },
} satisfies OptionTable<JwtValidationOptions>;

export const ISSUER_TABLE = {
  issuer: {
    read: (checks, value, option) => checks.string(value, option, 'Name the "iss" of the tokens you accept.'),
  },
  audiences: { read: requireAudiences },
  audienceClaim: {
    default: 'aud',
    read: (checks, value, option) => checks.string(value, option, 'Leave it out for "aud".'),
  },
  jwks: { read: asGiven },
  jwtValidationOptions: {
    default: {},
    read: (checks, value, option) =>
      readOptions(checks, VALIDATION_TABLE, checks.record(value, option, CLAIMS_FIX), option),
  },
  scopesClaim: {
    read: optional((checks, value, option) =>
      checks.string(value, option, 'Leave it out if "scope" and "scp" are enough.'),
    ),
  },
  provider: { read: optional(resolveProvider) },
  clientId: { read: asGiven },
  clientSecret: { read: asGiven },
} satisfies OptionTable<IssuerOptions>;

export const ISSUER_OPTIONS = Object.keys(ISSUER_TABLE);

/** What the rows resolve without knowing other options. */
type SimpleOptions = Omit<
  ResolvedOptions<typeof ISSUER_TABLE>,
  'jwks' | 'jwtValidationOptions' | 'clientId' | 'clientSecret'
>;

/** An issuer whose tokens are accepted. Without a provider, clients log in at the issuer itself. */
export interface TrustedIssuer extends SimpleOptions {
  readonly keySource: KeySource;
  readonly requiredClaims: readonly string[];
  readonly client: StaticClient | undefined;
}

/** What a policy says once for all its issuers. */
export interface IssuerContext {
  /** Empty, or that of an entry of `issuers`. */
  readonly path: string;
  readonly resource: string | undefined;
  readonly allowHttp: boolean;
}

/** The caller checks the names of the options: those of a single issuer stand beside the rest of the policy. */
export function resolveIssuer(
  checks: OptionChecks,
  given: Readonly<Record<string, unknown>>,
  { path, resource, allowHttp }: IssuerContext,
): TrustedIssuer {
  const { audiences = resource === undefined ? undefined : [resource] } = given;
  const read = readRows(checks, ISSUER_TABLE, { ...given, audiences }, path);
  const { jwks, jwtValidationOptions, clientId, clientSecret, ...simple } = read;
  const { issuer, provider } = simple;
  const prefix = path === '' ? '' : `${path}.`;
  const { jwksUrl } = provider ?? STANDARD;
  return Object.freeze({
    ...simple,
    keySource:
      jwks === undefined
        ? deriveKeySource(checks, `${prefix}jwks`, { issuer, jwksUrl, allowHttp })
        : resolveKeySource(checks, jwks, `${prefix}jwks`, allowHttp),
    requiredClaims: jwtValidationOptions.requiredClaims,
    client: resolveClient(checks, { provider, clientId, clientSecret }, prefix),
  });
}

function requireAudiences(checks: OptionChecks, given: unknown, option: string): readonly string[] {
  const fix =
    'Name what your authorization server writes into "aud", or leave it out to use resourceMetadata.resource.';
  if (!Array.isArray(given) || given.length === 0) {
    return checks.refuse(option, 'a non-empty array of non-empty strings', given, fix);
  }
  return checks.strings(given, option, fix);
}

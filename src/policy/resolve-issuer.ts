import type { OptionChecks } from '../options/checks.js';
import {
  asGiven,
  flag,
  group,
  type OptionTable,
  optional,
  type ResolvedOptions,
  readRows,
  text,
} from '../options/option-table.js';
import { either, membersOf, oneOfWords, SECRET, TEXT, TEXTS } from '../options/value-type.js';
import { isEntra } from '../providers/entra.js';
import type { Provider } from '../providers/provider.js';
import { PROVIDERS } from '../providers/providers.js';
import type { IssuerOptions, JwtValidationOptions } from './issuer-options.js';
import { resolveTenants, TENANT_ID } from './issuer-tenants.js';
import { deriveJwksSource, JWKS_TYPE, type JwksSource, resolveJwksSource } from './jwks-source.js';
import { PROVIDER_TYPE, readProvider } from './provider-option.js';
import { requireAudiences, resolveAudience } from './resolve-audience.js';

const CLAIMS_FIX = 'Write { requiredClaims: ["exp", …] }.';

export const VALIDATION_TABLE = {
  requiredClaims: {
    default: ['exp'],
    type: TEXTS,
    read: (checks, value, option) => checks.strings(value, option, CLAIMS_FIX),
  },
} satisfies OptionTable<JwtValidationOptions>;

export const ISSUER_TABLE = {
  issuer: { type: TEXT, read: requireIssuerName },
  audiences: { type: TEXTS, read: requireAudiences },
  audienceClaim: { type: TEXT, read: optional(text('Leave it out for "aud", or the claim of the provider.')) },
  tenants: { type: either(TEXTS, oneOfWords(['*'])), read: asGiven },
  exclusiveAudience: flag(false),
  jwks: { type: JWKS_TYPE, read: asGiven },
  jwtValidationOptions: {
    default: {},
    type: membersOf('jwtValidationOptions', VALIDATION_TABLE),
    read: group(VALIDATION_TABLE, CLAIMS_FIX),
  },
  subjectClaim: { default: 'sub', type: TEXT, read: text('Leave it out for "sub".') },
  scopesClaim: { type: TEXT, read: optional(text('Leave it out if "scope" and "scp" are enough.')) },
  provider: { type: PROVIDER_TYPE, read: optional(readProvider) },
  clientId: { type: TEXT, read: asGiven },
  clientSecret: { type: SECRET, read: asGiven },
} satisfies OptionTable<IssuerOptions>;

export const ISSUER_OPTIONS = Object.keys(ISSUER_TABLE);

/** A client that was registered at the authorization server by hand. */
export interface StaticClient {
  readonly id: string;
  readonly secret: string | undefined;
}

/** An issuer whose tokens are accepted. Without a provider, clients log in at the issuer itself. */
export interface TrustedIssuer
  extends Omit<
    ResolvedOptions<typeof ISSUER_TABLE>,
    'jwks' | 'jwtValidationOptions' | 'tenants' | 'audienceClaim' | 'provider' | 'clientId' | 'clientSecret'
  > {
  /** As configured. `issuer` is the same, or has the tenant of one token in place of {@link TENANT_ID}. */
  readonly name: string;
  readonly jwksSource: JwksSource;
  /** The tenants of an issuer with {@link TENANT_ID} in its name; undefined for one without. */
  readonly tenants: readonly string[] | '*' | undefined;
  readonly requiredClaims: readonly string[];
  readonly audienceClaim: string;
  readonly provider: Provider | undefined;
  /** The switches of the provider that the policy sets, by their paths. */
  readonly switched: readonly string[];
  readonly client: StaticClient | undefined;
}

/** The settings that the options of one issuer depend on. */
export interface IssuerContext {
  /** The path of the issuer's options for messages: empty, or an entry of `issuers`. */
  readonly path: string;
  readonly resource: string | undefined;
  readonly allowHttp: boolean;
}

/** Checks the options of one issuer. Unknown names are left to the caller, since a single issuer has no object of its own. */
export function resolveIssuer(
  checks: OptionChecks,
  given: Readonly<Record<string, unknown>>,
  { path, resource, allowHttp }: IssuerContext,
): TrustedIssuer {
  const { audiences = resource === undefined ? undefined : [resource] } = given;
  // An identity provider has no issuer, so a misspelled one is named first.
  if (given.issuer === undefined && given.provider !== undefined) {
    readProvider(checks, given.provider, path === '' ? 'provider' : `${path}.provider`);
  }
  const read = readRows(checks, ISSUER_TABLE, { ...given, audiences }, path);
  const {
    jwks,
    jwtValidationOptions,
    tenants,
    audienceClaim,
    provider: chosen,
    clientId,
    clientSecret,
    ...simple
  } = read;
  const { issuer } = simple;
  const { provider, switched = [] } = chosen ?? {};
  const prefix = path === '' ? '' : `${path}.`;
  const client = resolveClient(checks, { provider, clientId, clientSecret }, prefix);
  return Object.freeze({
    ...simple,
    ...resolveAudience(
      checks,
      { audiences: given.audiences, audienceClaim, chosen, clientId: client?.id },
      simple.audiences,
      prefix,
    ),
    provider,
    switched,
    name: issuer,
    jwksSource:
      jwks === undefined
        ? deriveJwksSource(checks, prefix, { issuer, provider: provider ?? providerOf(issuer), allowHttp })
        : resolveJwksSource(checks, jwks, `${prefix}jwks`, allowHttp),
    tenants: resolveTenants(checks, { issuer, tenants }, prefix),
    requiredClaims: jwtValidationOptions.requiredClaims,
    client,
  });
}

/** Only the keys of Entra ID are known for all tenants. */
function providerOf(issuer: string): Provider {
  return issuer.includes(TENANT_ID) && isEntra(issuer) ? PROVIDERS.entra : PROVIDERS.standard;
}

function requireIssuerName(checks: OptionChecks, given: unknown, option: string): string {
  const isList = Array.isArray(given);
  const fix = isList ? 'For several, write issuers: [{ issuer: … }, …].' : 'Name the "iss" of the tokens you accept.';
  const issuer = checks.string(given, option, fix);
  const [, name] = /^(https?:.*?)\/\.well-known\//i.exec(issuer) ?? [];
  if (name === undefined) return issuer;
  const iss = 'Write the "iss" of the tokens';
  return checks.refuse(option, 'the issuer, not the address of a document', issuer, `${iss}, probably "${name}".`);
}

/** Checks `clientId` and `clientSecret`, which need a `provider`. `path` is empty or ends in a dot. */
function resolveClient(
  checks: OptionChecks,
  { provider, clientId, clientSecret }: Readonly<Record<'provider' | 'clientId' | 'clientSecret', unknown>>,
  path: string,
): StaticClient | undefined {
  if (clientId === undefined && clientSecret === undefined) return undefined;
  if (provider === undefined) {
    const key = clientId === undefined ? 'clientSecret' : 'clientId';
    checks.refuse(`${path}provider`, `given together with "${key}"`, undefined, 'Write "standard", or its kind.');
  }
  const fix = 'Give the id of the client that you registered at the authorization server.';
  return Object.freeze({
    id: checks.string(clientId, `${path}clientId`, fix),
    secret:
      clientSecret === undefined
        ? undefined
        : checks.secret(clientSecret, `${path}clientSecret`, 1, 'Leave it out for a public client.'),
  });
}

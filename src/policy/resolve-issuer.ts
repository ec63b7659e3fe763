import { nearestName, type OptionChecks } from '../options/checks.js';
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
import { ENTRA, isEntra } from '../providers/entra.js';
import { opaqueProviderOf } from '../providers/opaque-providers.js';
import { type Provider, STANDARD } from '../providers/provider.js';
import { PROVIDERS, type ProviderName } from '../providers/providers.js';
import type { IssuerOptions, JwtValidationOptions } from './auth-options.js';
import { IDENTITY_MEMBERS, identityNameOf } from './identity-tables.js';
import { resolveTenants, TENANT_ID } from './issuer-tenants.js';
import { deriveJwksSource, JWKS_TYPE, type JwksSource, resolveJwksSource } from './jwks-source.js';

const PROVIDER_NAMES = Object.keys(PROVIDERS) as ProviderName[];
const NO_SETTINGS = membersOf('provider settings', {});
const PROVIDER_TYPE = either(
  oneOfWords(PROVIDER_NAMES),
  membersOf('provider', IDENTITY_MEMBERS, {
    pattern: new RegExp(`^(?:${PROVIDER_NAMES.join('|')})$`),
    type: NO_SETTINGS,
  }),
);
const PROVIDER_FIX = 'Write "keycloak", or another provider; leave it out if the issuer follows the MCP specification.';
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
  audienceClaim: { default: 'aud', type: TEXT, read: text('Leave it out for "aud".') },
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
  provider: { type: PROVIDER_TYPE, read: optional(resolveProvider) },
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
    'jwks' | 'jwtValidationOptions' | 'tenants' | 'clientId' | 'clientSecret'
  > {
  /** As configured. `issuer` is the same, or has the tenant of one token in place of {@link TENANT_ID}. */
  readonly name: string;
  readonly jwksSource: JwksSource;
  /** The tenants of an issuer with {@link TENANT_ID} in its name; undefined for one without. */
  readonly tenants: readonly string[] | '*' | undefined;
  readonly requiredClaims: readonly string[];
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
  const read = readRows(checks, ISSUER_TABLE, { ...given, audiences }, path);
  const { jwks, jwtValidationOptions, tenants, clientId, clientSecret, ...simple } = read;
  const { issuer, provider } = simple;
  const prefix = path === '' ? '' : `${path}.`;
  return Object.freeze({
    ...simple,
    name: issuer,
    jwksSource:
      jwks === undefined
        ? deriveJwksSource(checks, prefix, { issuer, provider: provider ?? providerOf(issuer), allowHttp })
        : resolveJwksSource(checks, jwks, `${prefix}jwks`, allowHttp),
    tenants: resolveTenants(checks, { issuer, tenants }, prefix),
    requiredClaims: jwtValidationOptions.requiredClaims,
    client: resolveClient(checks, { provider, clientId, clientSecret }, prefix),
  });
}

/** Only the keys of Entra ID are known for all tenants. */
function providerOf(issuer: string): Provider {
  return issuer.includes(TENANT_ID) && isEntra(issuer) ? ENTRA : STANDARD;
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

function requireAudiences(checks: OptionChecks, given: unknown, option: string): readonly string[] {
  const fix =
    'Name what your authorization server writes into "aud", or leave it out to use resourceMetadata.resource.';
  if (given === undefined) {
    const missing =
      'Write resourceMetadata: { resource: "https://mcp.example.com/mcp" }, the address that clients use.';
    return checks.refuse(option, 'given where resourceMetadata.resource is not', given, missing);
  }
  if (!Array.isArray(given) || given.length === 0) {
    return checks.refuse(option, 'a non-empty array of non-empty strings', given, fix);
  }
  const names = checks.strings(given, option, fix);
  const pattern = names.findIndex((name) => name.includes('*'));
  if (pattern === -1) return names;
  return checks.refuse(`${option}[${pattern}]`, 'a whole name, since patterns are not supported', names[pattern], fix);
}

function resolveProvider(checks: OptionChecks, given: unknown, option: string): Provider {
  if (typeof given === 'string') return PROVIDERS[requireProviderName(checks, given, option)];
  const providers = checks.record(given, option, PROVIDER_FIX);
  for (const name of Object.keys(providers)) requireProviderName(checks, name, option);
  const named = PROVIDER_NAMES.filter((name) => providers[name] !== undefined);
  const [name] = named;
  if (name === undefined || named.length > 1) return checks.refuse(option, 'exactly one provider', named, PROVIDER_FIX);
  const path = `${option}.${name}`;
  const settings = checks.record(providers[name], path, `Write { ${name}: {} }.`);
  for (const key of Object.keys(settings)) {
    checks.refuse(
      path,
      'an empty object',
      { [key]: '…' },
      'Write clientId and clientSecret next to "provider", not inside it.',
    );
  }
  return PROVIDERS[name];
}

function requireProviderName(checks: OptionChecks, name: string, option: string): ProviderName {
  const identity = identityNameOf(name);
  if (identity !== undefined) {
    const fix = `Write provider: { ${identity}: { allow: (profile) => … } }: users log in there, and this server issues the tokens.`;
    checks.refuse(option, 'an object where users log in at an identity provider', name, fix);
  }
  return checks.oneOf(name, option, PROVIDER_NAMES, fixOfProvider(name));
}

function fixOfProvider(name: string): string {
  const opaque = opaqueProviderOf(name);
  if (opaque !== undefined)
    return `The access tokens of ${opaque} are opaque, not JWTs. Write { oauth2: { … } } with its endpoints: users log in there, and this server issues the tokens.`;
  const near = nearestName(name, PROVIDER_NAMES);
  return near === undefined
    ? 'Write "standard" for any other server without registration; leave it out if the issuer follows the MCP specification.'
    : `Did you mean "${near}"?`;
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

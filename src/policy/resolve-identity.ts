import type { Logger } from '../core/logger.js';
import type { OptionChecks } from '../options/checks.js';
import { callback, optional, type ResolvedOptions, readOptions } from '../options/option-table.js';
import { createGithub } from '../providers/identity/github.js';
import { createGitlab } from '../providers/identity/gitlab.js';
import { createGoogle } from '../providers/identity/google.js';
import type { IdentityProvider } from '../providers/identity/identity-provider.js';
import { createOAuth2 } from '../providers/identity/oauth2.js';
import type { LoginProfile } from './identity-options.js';
import { allowFix, IDENTITY_TABLES, type IdentityProviderName, type RULES_TABLE } from './identity-tables.js';
import type { IssuerOptions } from './issuer-options.js';
import { refuseMisplaced } from './provider-option.js';
import { requireServerUrl } from './server-url.js';

/** An identity provider, the client that this server is there, and who may log in. */
export interface ResolvedIdentity {
  readonly provider: IdentityProvider;
  /** The option that names it, for messages. */
  readonly option: string;
  /** Undefined: everyone with an account there. */
  readonly allow: ((profile: LoginProfile) => unknown) | undefined;
  /** The scopes of the user's own token. */
  readonly scopes: readonly string[];
  readonly client: { readonly id: string; readonly secret: string };
}

const URL_FIX = 'Give the address of the endpoint.';

/** Reads the URL of an option of the identity provider; undefined if it is left out. */
type ReadUrl = (name: string, isRequired?: boolean) => string | undefined;

type Given<Name extends IdentityProviderName> = ResolvedOptions<(typeof IDENTITY_TABLES)[Name]>;

const CREATE: {
  readonly [Name in IdentityProviderName]: (readUrl: ReadUrl, given: Given<Name>) => IdentityProvider;
} = {
  github: (readUrl) => createGithub(readUrl('url')),
  google: () => createGoogle(),
  gitlab: (readUrl) => createGitlab(readUrl('url')),
  oauth2: (readUrl, { subjectClaim }) =>
    createOAuth2({
      issuer: readUrl('issuer', true) as string,
      authorizationEndpoint: readUrl('authorizationEndpoint', true) as string,
      tokenEndpoint: readUrl('tokenEndpoint', true) as string,
      userinfoEndpoint: readUrl('userinfoEndpoint'),
      jwksUri: readUrl('jwksUri'),
      revocationEndpoint: readUrl('revocationEndpoint'),
      subjectClaim,
    }),
};

/** The options of one issuer, as the user gave them. */
type IssuerGiven = Readonly<Record<string, unknown>>;

/**
 * Checks the options of an identity provider. Names of options that no issuer has are left to the caller.
 *
 * @param path The path of the issuer's options: empty, or an entry of `issuers`.
 */
export function resolveIdentity(
  checks: OptionChecks,
  given: IssuerGiven,
  { path: place, allowHttp }: { readonly path: string; readonly allowHttp: boolean },
): ResolvedIdentity {
  const path = place === '' ? '' : `${place}.`;
  const option = `${path}provider`;
  const providers = checks.record(given.provider, option, 'Write { github: { allow: … } }, for example.');
  const [name, another] = Object.keys(providers);
  if (name === undefined || another !== undefined || !Object.hasOwn(IDENTITY_TABLES, name)) {
    return checks.refuse(option, 'exactly one provider', Object.keys(providers), 'Keep one of them.');
  }
  const at = `${option}.${name}`;
  refuseOtherOptions(checks, given, { path, at });
  const fix = `Write { ${name}: { allow: (profile) => … } }.`;
  const settings = checks.record(providers[name], at, fix);
  refuseMisplaced(checks, settings, at);
  const { created, rules } = createProvider(checks, name as IdentityProviderName, settings, { at, allowHttp });
  requireOwnIssuer(checks, given.issuer, `${path}issuer`, created);
  const { scopes } = rules;
  return Object.freeze({
    provider: created,
    option: at,
    allow: requireRule(checks, name as IdentityProviderName, at, rules),
    scopes: Object.freeze([...new Set([...(scopes ?? created.defaultScopes), ...created.requiredScopes])]),
    client: resolveClient(checks, given, path),
  });
}

/** Warns about a server that anyone can use. */
export function warnOfEveryone(who: string, { allow, provider, option }: ResolvedIdentity, logger: Logger): void {
  if (allow !== undefined) return;
  const everyone = `everyone with an account at ${provider.name} can log in and use this server`;
  logger.warn(`${who}: ${option}.dangerouslyAllowEveryone is true: ${everyone}`);
}

function createProvider<Name extends IdentityProviderName>(
  checks: OptionChecks,
  name: Name,
  settings: Readonly<Record<string, unknown>>,
  { at, allowHttp }: { readonly at: string; readonly allowHttp: boolean },
): { created: IdentityProvider; rules: ResolvedOptions<typeof RULES_TABLE> } {
  const read = readOptions(checks, IDENTITY_TABLES[name], settings, at) as Given<Name>;
  const urls = read as Readonly<Record<string, unknown>>;
  const readUrl: ReadUrl = (option, isRequired = false) => {
    if (urls[option] === undefined && !isRequired) return undefined;
    if (urls[option] === undefined) checks.refuse(`${at}.${option}`, 'given', undefined, URL_FIX);
    requireServerUrl(checks, urls[option], `${at}.${option}`, allowHttp);
    return urls[option] as string;
  };
  const created = CREATE[name](readUrl, read);
  if (created.profile.length === 0 && created.idToken === undefined) {
    const fix = 'Give userinfoEndpoint, jwksUri, or both.';
    checks.refuseUnquoted(at, 'able to say who the user is', fix);
  }
  return { created, rules: read };
}

/** Returns `allow`; undefined if everyone is let in. */
function requireRule(
  checks: OptionChecks,
  name: IdentityProviderName,
  at: string,
  { allow: given, dangerouslyAllowEveryone }: ResolvedOptions<typeof RULES_TABLE>,
): ResolvedIdentity['allow'] {
  if (given === undefined && !dangerouslyAllowEveryone) {
    const expected = 'given, since anyone can have an account there';
    checks.refuse(`${at}.allow`, expected, undefined, `${allowFix(name)} Or set dangerouslyAllowEveryone to true.`);
  }
  const read = optional(callback<NonNullable<ResolvedIdentity['allow']>>(allowFix(name)));
  const allow = read(checks, given, `${at}.allow`);
  if (allow !== undefined && dangerouslyAllowEveryone) {
    checks.refuse(`${at}.dangerouslyAllowEveryone`, 'left out where "allow" is given', true, 'Remove one of the two.');
  }
  return allow;
}

function refuseOtherOptions(
  checks: OptionChecks,
  given: IssuerGiven,
  { path, at }: { readonly path: string; readonly at: string },
): void {
  for (const name of OPTIONS_OF_TOKENS) {
    if (given[name] === undefined) continue;
    const expected = `left out where ${at} is given: this server then issues the tokens itself`;
    checks.refuseUnquoted(`${path}${name}`, expected, 'Remove it.');
  }
}

/** Options about tokens that another server issues. */
const OPTIONS_OF_TOKENS = [
  'audiences',
  'audienceClaim',
  'tenants',
  'exclusiveAudience',
  'jwks',
  'jwtValidationOptions',
  'subjectClaim',
  'scopesClaim',
] as const satisfies readonly (keyof IssuerOptions)[];

/** It need not be given. Another one shows that the user expects tokens of that server. */
function requireOwnIssuer(
  checks: OptionChecks,
  given: unknown,
  option: string,
  { name, issuer }: IdentityProvider,
): void {
  if (given === undefined || given === issuer) return;
  checks.refuse(option, `left out, or "${issuer}", where users log in at ${name}`, given, 'Remove it.');
}

function resolveClient(checks: OptionChecks, given: IssuerGiven, path: string): ResolvedIdentity['client'] {
  const fix =
    'Register an application at the identity provider, with the callback of this server, and give its id and secret.';
  return Object.freeze({
    id: checks.string(given.clientId, `${path}clientId`, fix),
    secret: checks.secret(given.clientSecret, `${path}clientSecret`, 1, fix),
  });
}

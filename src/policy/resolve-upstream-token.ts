import { canParseUrl } from '../http/can-parse-url.js';
import type { OptionChecks } from '../options/checks.js';
import {
  asGiven,
  group,
  type OptionReader,
  type OptionTable,
  oneOf,
  optional,
  type ResolvedOptions,
  text,
} from '../options/option-table.js';
import { either, membersOf, oneOfWords, SECRET, TEXT, TEXTS } from '../options/value-type.js';
import { isEntra } from '../providers/entra.js';
import type { ExchangeRules, ExchangeTarget } from '../providers/exchange-rules.js';
import type { Provider } from '../providers/provider.js';
import { PROVIDERS } from '../providers/providers.js';
import type { TokenExchange } from '../upstream/token-exchange.js';
import { requireNamedIssuer } from './named-issuer.js';
import type { TrustedIssuer } from './resolve-issuer.js';
import { requireServerUrl } from './server-url.js';
import type { TokenExchangeOptions, UpstreamTokenOptions } from './upstream-token-options.js';

const EXCHANGE_FIX = 'Write { exchange: { clientId: …, clientSecret: …, audience: … } }.';
const CLIENT_FIX = 'Register a confidential client at the authorization server that may exchange tokens.';
const METHODS = ['client_secret_basic', 'client_secret_post'] as const;
const NAME_FIX = 'Name the API for which the token is wanted.';

const NAMES = {
  default: [],
  type: either(TEXT, TEXTS),
  read: ((checks, value, option) =>
    checks.strings(typeof value === 'string' ? [value] : value, option, NAME_FIX)) satisfies OptionReader<
    readonly string[]
  >,
};

export const EXCHANGE_TABLE = {
  issuer: { type: TEXT, read: optional(text('Name one of the issuers of the policy.')) },
  endpoint: { type: TEXT, read: asGiven },
  clientId: { type: TEXT, read: text(CLIENT_FIX) },
  clientSecret: { type: SECRET, read: (checks, value, option) => checks.secret(value, option, 1, CLIENT_FIX) },
  authMethod: { type: oneOfWords(METHODS), read: optional(oneOf(METHODS, 'Leave it out for the usual one.')) },
  audience: NAMES,
  resource: NAMES,
  scopes: { default: [], type: TEXTS, read: (checks, value, option) => checks.strings(value, option, NAME_FIX) },
} satisfies OptionTable<TokenExchangeOptions>;

export const UPSTREAM_TOKEN_TABLE = {
  exchange: { type: membersOf('exchange', EXCHANGE_TABLE), read: group(EXCHANGE_TABLE, EXCHANGE_FIX) },
} satisfies OptionTable<UpstreamTokenOptions>;

/** The row of the option `upstreamToken`. */
export const UPSTREAM_TOKEN_ROW = {
  type: membersOf('upstreamToken', UPSTREAM_TOKEN_TABLE),
  read: optional(group(UPSTREAM_TOKEN_TABLE, EXCHANGE_FIX)),
};

type ReadExchange = ResolvedOptions<typeof EXCHANGE_TABLE>;

/** The exchange of tokens at the server of one issuer. */
export interface ResolvedExchange extends TokenExchange {
  readonly trusted: TrustedIssuer;
  /** Returns the token endpoint for tokens with this `iss`. Undefined: the metadata names it. */
  readonly endpointFor: ((iss: string) => URL) | undefined;
  /** The addresses of the metadata, and the `issuer` that it must name. */
  readonly metadataUrls: readonly URL[];
  readonly metadataIssuer: string;
  readonly allowHttp: boolean;
}

const AT = 'upstreamToken.exchange';

/** Checks the options of the exchange that depend on the rest of the policy. */
export function resolveExchange(
  checks: OptionChecks,
  { issuer, endpoint, audience, resource, scopes, ...client }: ReadExchange,
  { issuers, allowHttp }: { readonly issuers: readonly TrustedIssuer[]; readonly allowHttp: boolean },
): ResolvedExchange {
  if (issuers.length === 0) {
    const expected = 'left out where the policy accepts no tokens of an issuer: there is none to exchange';
    checks.refuseUnquoted('upstreamToken', expected, 'Remove it.');
  }
  const trusted = requireNamedIssuer(checks, issuer, issuers, AT);
  const provider = providerOf(trusted);
  const rules = provider.exchange;
  const target = requireTarget(checks, rules, { audiences: audience, resources: resource, scopes });
  const endpointFor = resolveEndpoint(checks, endpoint, { rules, trusted, allowHttp });
  const looksUp = endpointFor === undefined;
  return Object.freeze({
    ...client,
    authMethod: client.authMethod ?? rules.authMethod,
    parameters: (subjectToken: string) => rules.parameters(subjectToken, target),
    namesTokenType: rules.namesTokenType,
    refusalDetail: rules.refusalDetail,
    trusted,
    endpointFor,
    metadataUrls: looksUp ? provider.metadataUrls(trusted.issuer).map((each) => new URL(each)) : [],
    metadataIssuer: looksUp ? provider.metadataIssuer(trusted.issuer) : '',
    allowHttp,
  });
}

function providerOf({ provider, issuer }: TrustedIssuer): Provider {
  return provider ?? PROVIDERS[isEntra(issuer) ? 'entra' : 'standard'];
}

/** Returns undefined if the metadata names the endpoint. */
function resolveEndpoint(
  checks: OptionChecks,
  given: unknown,
  { rules, trusted, allowHttp }: { rules: ExchangeRules; trusted: TrustedIssuer; allowHttp: boolean },
): ResolvedExchange['endpointFor'] {
  const option = `${AT}.endpoint`;
  const { name, tenants } = trusted;
  if (given === undefined && !canParseUrl(name)) {
    const expected = 'given, since it is looked up only for an issuer that is a URL';
    checks.refuse(option, expected, undefined, 'Give the address of the token endpoint.');
  }
  const known = rules.endpoint;
  if (given === undefined && known === undefined) return undefined;
  const url = requireServerUrl(checks, given ?? known?.(name), option, allowHttp);
  // An issuer of several tenants has an endpoint for each.
  return given === undefined && known !== undefined && tenants !== undefined ? (iss) => new URL(known(iss)) : () => url;
}

const OPTIONS = { audiences: 'audience', resources: 'resource', scopes: 'scopes' } as const;

/** A token for no API in particular would be good for more than this server needs. */
function requireTarget(checks: OptionChecks, { targets }: ExchangeRules, target: ExchangeTarget): ExchangeTarget {
  const names = targets.map((name) => OPTIONS[name]);
  for (const [name, option] of Object.entries(OPTIONS) as [keyof ExchangeTarget, string][]) {
    if (targets.includes(name) || target[name].length === 0) continue;
    checks.refuse(
      `${AT}.${option}`,
      'left out for this authorization server',
      target[name],
      `Use ${names.join(' or ')}.`,
    );
  }
  if (targets.every((name) => target[name].length === 0)) {
    const expected = names.length === 1 ? 'given' : `given, or else ${names.slice(1).join(' or ')}`;
    checks.refuse(`${AT}.${names[0]}`, expected, undefined, NAME_FIX);
  }
  return Object.freeze(target);
}

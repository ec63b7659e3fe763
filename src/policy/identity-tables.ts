import { isRecord } from '../http/json-object.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { asGiven, flag, type OptionTable, optional, text } from '../options/option-table.js';
import { membersOf, TEXT, TEXTS } from '../options/value-type.js';
import type {
  GithubOptions,
  GitlabOptions,
  GoogleOptions,
  IdentityProviders,
  LoginRules,
  OAuth2Options,
} from './identity-options.js';

export type IdentityProviderName = keyof IdentityProviders;

/** A rule for each identity provider, with a member that its profiles have. */
const EXAMPLES: Readonly<Record<IdentityProviderName, readonly [member: string, value: string]>> = {
  github: ['login', 'octocat'],
  google: ['hd', 'example.com'],
  gitlab: ['nickname', 'octocat'],
  oauth2: ['sub', '583231'],
};

/** Says how to write `allow`. */
export function allowFix(name: IdentityProviderName): string {
  const [member, value] = EXAMPLES[name];
  return `Write allow: (profile) => profile.${member} === "${value}"; in a configuration file, allow: 'profile.${member} == "${value}"'.`;
}

/** The options that all of them have. `allow` is checked where the name is known, for its example. */
export const RULES_TABLE = {
  allow: { type: TEXT, read: asGiven },
  dangerouslyAllowEveryone: flag(false),
  scopes: {
    type: TEXTS,
    read: optional((checks, value, option) =>
      checks.strings(value, option, 'Write the scopes that the identity provider names.'),
    ),
  },
} satisfies OptionTable<LoginRules>;

/** An address, which is checked once it is known if plain http is allowed. */
const urlRow = () => ({ type: TEXT, read: asGiven });

const SERVER_URL_ROW = urlRow();

export const IDENTITY_TABLES = {
  github: { ...RULES_TABLE, url: SERVER_URL_ROW } satisfies OptionTable<GithubOptions>,
  google: RULES_TABLE satisfies OptionTable<GoogleOptions>,
  gitlab: { ...RULES_TABLE, url: SERVER_URL_ROW } satisfies OptionTable<GitlabOptions>,
  oauth2: {
    ...RULES_TABLE,
    issuer: urlRow(),
    authorizationEndpoint: urlRow(),
    tokenEndpoint: urlRow(),
    userinfoEndpoint: urlRow(),
    jwksUri: urlRow(),
    revocationEndpoint: urlRow(),
    subjectClaim: { default: 'sub', type: TEXT, read: text('Leave it out for "sub".') },
  } satisfies OptionTable<OAuth2Options>,
};

export const IDENTITY_NAMES = Object.keys(IDENTITY_TABLES) as IdentityProviderName[];

/** `provider` as a configuration file has it, for the identity providers. */
export const IDENTITY_MEMBERS = Object.fromEntries(
  IDENTITY_NAMES.map((name) => [name, { type: membersOf(`${name} login`, IDENTITY_TABLES[name]) }]),
);

/** Returns the name of the identity provider that a string means; undefined for any other string. */
export function identityNameOf(given: string): IdentityProviderName | undefined {
  return IDENTITY_NAMES.find((name) => name === lowerAscii(given));
}

/** True if the option `provider` names an identity provider, and not a server whose tokens are accepted. */
export function namesIdentityProvider(provider: unknown): provider is Record<string, unknown> {
  return isRecord(provider) && Object.keys(provider).some((name) => (IDENTITY_NAMES as string[]).includes(name));
}

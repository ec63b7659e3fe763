import { REGISTRATION_MEMBERS, type RegistrationMember } from './provider.js';

/** The differences between authorization servers that a word or a list can say. Each kind of server sets some, and a policy may set others. */
export interface ProviderSwitches {
  /** Logins name the first of `audiences` as `audience`, for servers that do not take the audience of a token from `resource`. @default false */
  readonly audience?: boolean | undefined;
  /** Logins and token requests name the resource (RFC 8707). `false` for a server that refuses `resource`. @default true */
  readonly resource?: boolean | undefined;
  /** Clients can register at the server (RFC 7591). `false` requires `clientId`. @default true */
  readonly registration?: boolean | undefined;
  /**
   * The members of a client's registration that the server gets, besides those that the OAuth proxy sets.
   *
   * @default ['client_name', 'client_uri', 'logo_uri', 'tos_uri', 'policy_uri', 'contacts', 'scope', 'software_id', 'software_version']
   */
  readonly registrationMembers?: readonly RegistrationMember[] | undefined;
  /**
   * Logins have a `code_challenge` (RFC 7636). `false` for a server that refuses it: nothing then prevents a code that was stolen there
   * from being used here. The OAuth proxy requires PKCE of MCP clients in any case.
   *
   * @default true
   */
  readonly pkce?: boolean | undefined;
  /** The values of `prompt` that the server accepts. It gets no others. @default ['none', 'login', 'consent'] */
  readonly prompts?: readonly string[] | undefined;
  /** `false`: the server gets only the first of `prompts` that the client asks for. @default true */
  readonly severalPrompts?: boolean | undefined;
  /**
   * When a refresh names scopes: `fewer` if the client asks for fewer than its login; `always` for a server that does not reuse those of
   * the login; `never` for one that drops scopes at the login without saying so, and then refuses them.
   *
   * @default 'fewer'
   */
  readonly refreshScopes?: 'fewer' | 'always' | 'never' | undefined;
  /** Scopes that each login asks for, besides those of the client. @default [] */
  readonly addedScopes?: readonly string[] | undefined;
  /** Scopes that the server does not know. It is never asked for them, and clients are not told of them. @default [] */
  readonly omittedScopes?: readonly string[] | undefined;
  /**
   * The place of the metadata: `oauth` (RFC 8414), `openid` (OpenID Connect Discovery), or `any` of them, tried one after the other.
   *
   * @default 'any'
   */
  readonly metadata?: 'any' | 'oauth' | 'openid' | undefined;
  /**
   * The method to send `clientSecret`. Some servers accept only the way that was chosen for the client.
   *
   * @default as the metadata announces: client_secret_post, otherwise client_secret_basic
   */
  readonly tokenEndpointAuthMethod?: 'client_secret_basic' | 'client_secret_post' | undefined;
}

/** A value for each switch. */
export type ResolvedSwitches = {
  readonly [Name in keyof ProviderSwitches]-?: Name extends 'tokenEndpointAuthMethod'
    ? ProviderSwitches[Name]
    : NonNullable<ProviderSwitches[Name]>;
};

/** The switches of a server as the MCP specification describes it. */
export const STANDARD_SWITCHES: ResolvedSwitches = Object.freeze({
  audience: false,
  resource: true,
  registration: true,
  registrationMembers: REGISTRATION_MEMBERS,
  pkce: true,
  // Without select_account: oidc-provider, for one, refuses every login that asks for it.
  prompts: Object.freeze(['none', 'login', 'consent']),
  severalPrompts: true,
  refreshScopes: 'fewer',
  addedScopes: Object.freeze([]),
  omittedScopes: Object.freeze([]),
  metadata: 'any',
  tokenEndpointAuthMethod: undefined,
});

export type SwitchName = keyof ResolvedSwitches;

export const SWITCH_NAMES = Object.freeze(Object.keys(STANDARD_SWITCHES)) as readonly SwitchName[];

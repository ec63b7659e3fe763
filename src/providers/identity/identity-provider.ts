import { isRecord } from '../../http/json-object.js';

/**
 * The peculiarities of one server where users log in, and whose tokens are not meant for this server: data, and pure functions.
 * Nothing is fetched here.
 */
export interface IdentityProvider {
  /** Its own spelling, for messages: "GitHub". */
  readonly name: string;
  /** Tells this server from others of its kind: `https://github.com`. For the log, and to bind what is sealed. */
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  /** Parameters of every authorization request, besides those of RFC 6749. */
  readonly loginParameters: Readonly<Record<string, string>>;
  /** True if it supports PKCE (RFC 7636) with S256. */
  readonly supportsPkce: boolean;
  /** The way to send the client's secret to its token endpoint (RFC 6749, section 2.3.1). */
  readonly authMethod: 'client_secret_post' | 'client_secret_basic';
  /** The scopes of a login, if the policy names none. */
  readonly defaultScopes: readonly string[];
  /** Scopes that a login needs in any case, to tell who the user is. */
  readonly requiredScopes: readonly string[];
  /** Splits the `scope` of a token answer. */
  splitScopes(scope: string): readonly string[];
  /** The rules for ID tokens (OpenID Connect Core, section 3.1.3.7). Undefined if it issues none. */
  readonly idToken: IdTokenRules | undefined;
  /** The documents that say who the user is, fetched with the user's token. The first one also shows that the token is still good. */
  readonly profile: readonly ProfileSource[];
  /** Returns the id of the user in the profile, which never passes to another user. Undefined if the profile has none. */
  subjectOf(profile: Profile): string | undefined;
  /** The members of the profile that become claims of our tokens. */
  readonly claims: readonly string[];
  /** The way to revoke a token. Undefined if there is none. */
  readonly revocation: RevocationRules | undefined;
}

/** The user, as the ID token and the documents describe it. */
export type Profile = Readonly<Record<string, unknown>>;

export interface IdTokenRules {
  /** The values that `iss` may have. */
  readonly issuers: readonly string[];
  /** The keys that sign ID tokens. */
  readonly jwksUrl: string;
}

/** A login, as far as it says what the user's token may read. */
export interface UpstreamLogin {
  /** The scopes that the user has granted. */
  readonly scopes: readonly string[];
  /** The scopes of the policy. */
  readonly asked: readonly string[];
  readonly token: string;
}

/** An answer other than 200 to the request for a document. */
export interface ProfileAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A document about the user. */
export interface ProfileSource {
  readonly url: string;
  /** True if the user's token may read it. Left out: every token may. */
  isReadable?(login: UpstreamLogin): boolean;
  /** The permission that an app may lack for it. The profile is then without its members. Left out: it needs none, so other answers are outages. */
  readonly permission?: {
    /** Says, for the log, what is missing. */
    readonly advice: string;
    isMissing(login: UpstreamLogin, answer: ProfileAnswer): boolean;
  };
  /** Returns the members that it adds to the profile. Undefined if the answer cannot be used. */
  read(answer: unknown): Profile | undefined;
}

/** A request that revokes a token. */
export interface RevocationRules {
  readonly method: 'POST' | 'DELETE';
  url(clientId: string): string;
  /** The form of the body, and the name that the token has in it. */
  readonly body: { readonly type: 'form' | 'json'; readonly member: string };
  /** True if it takes refresh tokens too, and then revokes the access tokens that come from them. */
  readonly takesRefreshTokens: boolean;
  /** The place of the client's id and secret. */
  readonly credentials: 'basic' | 'body' | 'none';
  /** The status that says that it does not know the token. By RFC 7009, section 2.2, that is 200. */
  readonly unknownTokenStatus?: number;
}

/** Reads a document that is the profile itself. Undefined if it is not a JSON object. */
export function readProfile(answer: unknown): Profile | undefined {
  return isRecord(answer) ? answer : undefined;
}

/** Returns the claim `sub` of OpenID Connect. Undefined if it is not a string, or empty. */
export function subOf({ sub }: Profile): string | undefined {
  return typeof sub === 'string' && sub !== '' ? sub : undefined;
}

/** Splits a list that spaces separate, such as `scope` (RFC 6749, section 3.3). */
export function splitAtSpaces(list: string): readonly string[] {
  return list.split(' ').filter((name) => name !== '');
}

type Form = URLSearchParams;

/** A client of the server. */
export interface RegisteredClient {
  readonly id: string;
  readonly secret?: string | undefined;
  readonly redirectUri: string;
  /** The scopes for which it registered itself. */
  readonly scope?: string | undefined;
}

/** The reason for a refusal: `error`, and a description. */
export type Refusal = readonly [error: string, description: string];

/** The differences of one kind of authorization server from the specification, according to its documentation. */
export interface ProviderBehaviour {
  /** The path of the issuer, appended to the origin. */
  readonly issuer: string;
  readonly paths: {
    readonly metadata: readonly string[];
    readonly jwks: string;
    readonly authorize: string;
    readonly token: string;
    readonly registration?: string;
    readonly revocation?: string;
  };
  /** Members that override the generated metadata. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly sendsIss: boolean;
  /** The required Authorization header. Left out: every client may register. */
  readonly registrationCredentials?: string;
  /** The scopes in the metadata. */
  readonly scopes: readonly string[];
  /** False for a server that refuses `code_challenge`. Left out: it requires one. */
  readonly pkce?: false;
  /** The way in which clients with a secret must send it. Left out: any. */
  readonly tokenEndpointAuthMethod?: 'client_secret_basic' | 'client_secret_post';
  /** True if refresh tokens are issued only with the scope `offline_access`. */
  readonly refreshesOffline?: boolean;
  /** True if a refresh token can be used again, and an answer to it has no new one. */
  readonly keepsRefreshToken?: boolean;
  /** Returns the reason to refuse a registration. */
  refuseRegistration?(
    metadata: Readonly<Record<string, unknown>>,
  ): readonly [status: 400 | 403, error: string, description?: string] | undefined;
  /** Returns the reason to refuse an authorization request. */
  refuse?(request: Form, client: RegisteredClient): Refusal | undefined;
  /** Returns the granted scopes. Left out: all requested scopes. A refresh for other scopes is refused (RFC 6749, section 6). */
  grant?(scopes: readonly string[]): readonly string[];
  /** Returns the scopes that the token response names; undefined if it names none. Left out: the granted scopes. */
  answeredScopes?(scopes: readonly string[]): readonly string[] | undefined;
  /** Returns the reason to refuse a token request. */
  refuseToken?(request: Form): Refusal | undefined;
  /** Returns the access token's claims, except `iss`, `sub` and the times. Undefined: the token is opaque. */
  claims(request: Form): Record<string, unknown> | undefined;
}

export const OPENID_SCOPES = ['openid', 'profile', 'email', 'offline_access'];

export function scopesOf(form: Form | undefined): readonly string[] {
  return listOf(form?.get('scope'));
}

export function promptsOf(form: Form): readonly string[] {
  return listOf(form.get('prompt'));
}

function listOf(text: string | null | undefined): readonly string[] {
  return (text ?? '').split(' ').filter((item) => item !== '');
}

/** Returns the first scope that is not one of these. */
export function unknownScope(form: Form, known: readonly string[]): string | undefined {
  return scopesOf(form).find((scope) => !known.includes(scope));
}

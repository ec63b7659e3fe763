type Form = URLSearchParams;

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
  /** True if refresh tokens are issued only with the scope `offline_access`. */
  readonly refreshesOffline?: boolean;
  /** Returns the reason to refuse a registration. */
  refuseRegistration?(
    metadata: Readonly<Record<string, unknown>>,
  ): readonly [status: 400 | 403, error: string, description?: string] | undefined;
  /** Returns the reason to refuse an authorization request: `error`, and a description. */
  refuse?(request: Form): readonly [error: string, description: string] | undefined;
  /** Returns the granted scopes. Left out: all requested scopes. A refresh for other scopes is refused (RFC 6749, section 6). */
  grant?(scopes: readonly string[]): readonly string[];
  /** Returns the scopes that the token response names. Left out: the granted scopes. */
  answeredScopes?(scopes: readonly string[]): readonly string[];
  /** Returns the reason to refuse a token request. */
  refuseToken?(request: Form): readonly [error: string, description: string] | undefined;
  /** Returns the access token's claims, except `iss`, `sub` and the times. Undefined: the token is opaque. */
  claims(request: Form): Record<string, unknown> | undefined;
}

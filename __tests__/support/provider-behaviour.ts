type Form = URLSearchParams;

/** How one kind of authorization server differs from the specification, by its documentation. */
export interface ProviderBehaviour {
  /** Appended to the origin. */
  readonly issuer: string;
  readonly paths: {
    readonly metadata: readonly string[];
    readonly jwks: string;
    readonly authorize: string;
    readonly token: string;
    readonly registration?: string;
    readonly revocation?: string;
  };
  /** Members of the metadata, over those that follow from all else. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly sendsIss: boolean;
  /** Left out: anybody may register. */
  readonly registrationCredentials?: string;
  /** What the metadata announces as scopes. */
  readonly scopes: readonly string[];
  /** Refresh tokens go only to those who are granted `offline_access`. */
  readonly refreshesOffline?: boolean;
  /** Why a registration is turned down. */
  refuseRegistration?(
    metadata: Readonly<Record<string, unknown>>,
  ): readonly [status: 400 | 403, error: string, description?: string] | undefined;
  /** Why an authorization request is turned down: `error`, and a description. */
  refuse?(request: Form): readonly [error: string, description: string] | undefined;
  /** What of the scopes asked for is granted; left out: all. A refresh for others is refused (RFC 6749, section 6). */
  grant?(scopes: readonly string[]): readonly string[];
  /** The scopes that the token's answer names, where they are not those granted. */
  answeredScopes?(scopes: readonly string[]): readonly string[];
  /** The same for a token request. */
  refuseToken?(request: Form): readonly [error: string, description: string] | undefined;
  /** The access token's claims beside `iss`, `sub` and the times; undefined: the token is opaque. */
  claims(request: Form): Record<string, unknown> | undefined;
}

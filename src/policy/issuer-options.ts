import type { ProviderOption } from './oauth-proxy-options.js';

/** A JSON Web Key Set (RFC 7517, section 5). */
export interface Jwks {
  /** The public keys, each a JSON Web Key. */
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/**
 * The source of the keys that verify tokens: one of a file (watched), a URL (fetched), keys given here, JSON text, or
 * a function that returns the current key set. The function is called for every request and at construction. It must be
 * synchronous, and must return the same object as long as nothing has changed.
 */
export type JwksOption =
  | {
      /** The name of a file with a key set in it. A change takes effect without a restart. */
      readonly file: string;
      readonly url?: never;
      readonly keys?: never;
    }
  | {
      /** The address of a key set: https, or http on loopback unless `dangerouslyAllowHttp`. */
      readonly url: string;
      readonly file?: never;
      readonly keys?: never;
    }
  | {
      /** The public keys themselves. */
      readonly keys: Jwks['keys'];
      readonly file?: never;
      readonly url?: never;
    }
  | (() => Jwks)
  | string;

/** Requirements for every token of an issuer, in addition to the checks that are always made. */
export interface JwtValidationOptions {
  /** Claims that must be present, of any name. @default ['exp'] */
  readonly requiredClaims?: readonly string[] | undefined;
}

/** An issuer whose tokens are accepted, and the checks of its tokens. */
export interface IssuerOptions {
  /** Compared byte for byte with the token's `iss` (RFC 7519, section 4.1.1). Need not be a URL. */
  readonly issuer: string;
  /**
   * The tenants whose tokens are accepted, by their `tid`, if the issuer has `{tenantid}` in its name, such as
   * `https://login.microsoftonline.com/{tenantid}/v2.0`. The token's `iss` must be that of its `tid`. `'*'` accepts every tenant: every
   * organisation that uses the same authorization server.
   *
   * @default none: the issuer is one tenant
   */
  readonly tenants?: readonly string[] | '*' | undefined;
  /**
   * The token's `aud` must contain one of them. One closing slash more or less is tolerated, nothing else. `{tenant}` stands for the tenant
   * in the path of the request, if the resource has it too. For a provider whose tokens name their client, the default is `[clientId]`.
   *
   * @default [resourceMetadata.resource]
   */
  readonly audiences?: readonly string[] | undefined;
  /**
   * The claim that names the audience, for servers whose access tokens have no `aud` (Cognito and Clerk: `client_id`).
   *
   * @default that of the provider; without one, `aud`
   */
  readonly audienceClaim?: string | undefined;
  /** `true` refuses a token that is also meant for someone else: each of its audiences must be one of `audiences`. @default false */
  readonly exclusiveAudience?: boolean | undefined;
  /**
   * The kind of authorization server, if it does not follow the MCP specification by itself. Clients then log in through
   * an OAuth proxy: see `oauthProxy`.
   *
   * @default none: clients log in at the issuer itself
   */
  readonly provider?: ProviderOption | undefined;
  /** A client registered at the authorization server by hand. All MCP clients share it; each user is asked for consent. */
  readonly clientId?: string | undefined;
  /**
   * The secret of `clientId`, if it is a confidential client. Sent to the token endpoint only. `undefined` is refused: to have none, leave
   * the option out.
   */
  readonly clientSecret?: string | undefined;
  /**
   * The source of the keys that verify tokens.
   *
   * @default the provider's URL; without one, `jwks_uri` of the issuer's metadata; without metadata, `{issuer}/.well-known/jwks.json`
   */
  readonly jwks?: JwksOption | undefined;
  /** Requirements for every token, in addition to the checks that are always made. @default {} */
  readonly jwtValidationOptions?: JwtValidationOptions | undefined;
  /**
   * The claim that identifies the user, for servers whose access tokens have no `sub`; or the path to it. Its value must never pass to another
   * user; a claim that identifies the client makes all its users one. A token without this claim counts as a separate user,
   * whose sessions end when the token expires.
   *
   * @default 'sub'
   */
  readonly subjectClaim?: string | undefined;
  /**
   * A claim that has scopes, in addition to `scope` and `scp`: a name such as `roles`, `groups` or `permissions`, or a path such as
   * `realm_access.roles`. A claim whose own name has the dot comes first.
   */
  readonly scopesClaim?: string | undefined;
}

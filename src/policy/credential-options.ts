/** The entry of an API key in a policy. `express-mcp-auth key create` prints a key, and its entry. */
export interface ApiKey {
  /** The SHA-256 of the key, in 64 hexadecimal digits. Never write the key itself into a configuration. */
  readonly sha256: string;
  /** The user that the key stands for. @default none: the key counts as a separate user */
  readonly subject?: string | undefined;
  /** The scopes of the key. @default [] */
  readonly scopes?: readonly string[] | undefined;
  /** Further claims, for `req.auth.extra`. @default {} */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** The date, or date and time in UTC, from which the key is refused: `2027-01-31` or `2027-01-31T12:00:00Z`. @default never */
  readonly expires?: string | undefined;
}

/** The entry of an API key as a function returns it. */
export type KnownApiKey = Omit<ApiKey, 'sha256'>;

/**
 * The API keys that are accepted: a list, a JSON file with such a list (watched), or a function that finds a key by its
 * SHA-256 and returns `undefined` for an unknown one. A function is not asked about a credential that has the form of a JWT.
 */
export type ApiKeysOption =
  | readonly ApiKey[]
  | {
      /** The name of a JSON file with the list. A change takes effect without a restart. */
      readonly file: string;
    }
  | ((sha256: string) => KnownApiKey | undefined | Promise<KnownApiKey | undefined>);

/** Asks an authorization server about opaque tokens (RFC 7662). */
export interface IntrospectionOptions {
  /** The introspection endpoint. @default that of the issuer's metadata */
  readonly endpoint?: string | undefined;
  /** The issuer whose tokens the server knows; its audiences and claims are checked. @default the only issuer of the policy */
  readonly issuer?: string | undefined;
  /** The id under which this server is registered at the authorization server. */
  readonly clientId: string;
  /** The secret of `clientId`. */
  readonly clientSecret: string;
  /** The way to send both: in an `Authorization` header, or in the form. @default 'client_secret_basic' */
  readonly authMethod?: 'client_secret_basic' | 'client_secret_post' | undefined;
  /** Seconds. An active token is asked about again after this time. @default 60 */
  readonly maxAgeSeconds?: number | undefined;
  /** Estimated bytes of all active answers that are kept. @default 16777216 */
  readonly maxBytes?: number | undefined;
  /** The largest number of calls in a second for tokens that were not active before. More requests are answered 503. @default 50 */
  readonly maxCallsPerSecond?: number | undefined;
}

/** The result of a function of `verifiers`. The MCP SDK's `AuthInfo` has the same members. */
export interface VerifierResult {
  /** The user, by an id that never passes to another user. Without it, each token counts as a separate user. */
  readonly subject?: string | undefined;
  /** The client. */
  readonly clientId?: string | undefined;
  /** The scopes of the token. */
  readonly scopes: readonly string[];
  /** Seconds since 1970. */
  readonly expiresAt?: number | undefined;
  /** The party that issued the token; users of different issuers are different users. @default one for each function */
  readonly issuer?: string | undefined;
  /** The resource that the token is meant for. If given, it must equal the resource of the policy. */
  readonly resource?: URL | string | undefined;
  /**
   * Further claims, for `req.auth.extra`. Those that the other members decide on are left out: `iss`, `sub`, `client_id`, `azp`, `cid`, `appid`,
   * `scope`, `scp` and `exp`.
   */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Verifies an opaque token: returns its content, or `undefined` for a token that is unknown, expired or meant for another server.
 * An error, or no result within 10 seconds, counts as an outage. The function must check that the token is meant for this server.
 */
export type Verifier = (token: string) => VerifierResult | undefined | Promise<VerifierResult | undefined>;

/** The header that carries the access token. */
export interface HeaderLocation {
  /** The name of the header. */
  readonly name: string;
  /** The text before the token. @default none; 'Bearer ' in Authorization */
  readonly prefix?: string | undefined;
}

/** The place of the access token in a request, in agentgateway's form. */
export interface AuthorizationLocation {
  /** A header. */
  readonly header: HeaderLocation;
}

/** The credentials that a policy accepts besides JWTs, and where they are read. */
export interface CredentialOptions {
  /** API keys, in `Authorization: Bearer` or `x-api-key`. Each is a caller of its own. @default none */
  readonly apiKeys?: ApiKeysOption | undefined;
  /** Asks the authorization server about tokens that are not JWTs. @default none */
  readonly introspection?: IntrospectionOptions | undefined;
  /** Functions that verify opaque tokens, asked in this order after `introspection`. @default [] */
  readonly verifiers?: readonly Verifier[] | undefined;
  /**
   * Another header for the access token, for example of a proxy that logs users in. `Authorization` is then not read.
   *
   * @default the header Authorization
   */
  readonly authorizationLocation?: AuthorizationLocation | undefined;
}

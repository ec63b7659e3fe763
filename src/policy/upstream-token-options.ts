/** The exchange of the caller's token for one of another API: RFC 8693, or Entra's on-behalf-of flow if the issuer is Entra ID. */
export interface TokenExchangeOptions {
  /** The issuer whose tokens are exchanged. Tokens of others are not sent to it. @default the only issuer of the policy */
  readonly issuer?: string | undefined;
  /** The token endpoint. @default that of the issuer's metadata */
  readonly endpoint?: string | undefined;
  /** The id under which this server is registered at the authorization server, as a client that may exchange tokens. */
  readonly clientId: string;
  /** The secret of `clientId`. */
  readonly clientSecret: string;
  /** The way to send both: in an `Authorization` header, or in the form. @default client_secret_basic; for Entra ID client_secret_post */
  readonly authMethod?: 'client_secret_basic' | 'client_secret_post' | undefined;
  /** The API, by the name that the server has for it; or several. Entra ID does not read it. @default [] */
  readonly audience?: string | readonly string[] | undefined;
  /** The API, by its URL (RFC 8707); or several. Entra ID does not read it. @default [] */
  readonly resource?: string | readonly string[] | undefined;
  /** The scopes of the new token. At Entra ID, they name the API too: `https://graph.microsoft.com/User.Read`. @default [] */
  readonly scopes?: readonly string[] | undefined;
}

/** The source of the user's own token for `getUpstreamToken()` if this server has not issued the caller's token. */
export interface UpstreamTokenOptions {
  /** Exchanges the caller's token when it is first needed. */
  readonly exchange: TokenExchangeOptions;
}

import type { IncomingMessage } from 'node:http';
import type { AddExtra } from '../core/auth-info.js';
import type { Logger } from '../core/logger.js';
import type { Store } from '../store/store.js';
import type { AuthDecision } from './auth-decision.js';
import type { CredentialOptions } from './credential-options.js';
import type { IdentityProviderOption } from './identity-options.js';
import type { IssuerOptions } from './issuer-options.js';
import type { McpAuthMode } from './modes.js';
import type { OAuthProxyOptions } from './oauth-proxy-options.js';
import type { UpstreamTokenOptions } from './upstream-token-options.js';

/** The members of the protected resource metadata that this package reads. */
export interface KnownMetadataMembers {
  /**
   * The URL under which clients reach the MCP server, emitted byte for byte. If it is left out, the origin of each request
   * is used (Express's `trust proxy` decides if a proxy's headers count), and `audiences` is required. `{tenant}` as one whole segment of
   * its path makes a resource of its own for each tenant: `https://mcp.example.com/{tenant}/mcp`.
   *
   * @default the request's origin
   */
  readonly resource?: string | undefined;
  /** Advertised, not enforced: see `requiredScopes`. */
  readonly scopesSupported?: readonly string[] | undefined;
  /** Advertised: the ways to send a token. `mcpAuth()` reads it only from the `Authorization` header, whatever is listed here. */
  readonly bearerMethodsSupported?: readonly string[] | undefined;
  /**
   * The URL of this document in challenges, if clients reach it at another address than that of RFC 9728, for example behind a gateway that
   * removes a prefix from paths. Not part of the document. The document is also served at the path of this URL, and at the part of that
   * path from `/.well-known/` on. If the resource has `{tenant}` in its path, the URL must have it too. If the URL says that this server has
   * only a part of its host, the endpoints of its OAuth proxy are below the path of the resource.
   *
   * @default the resource's origin, `/.well-known/oauth-protected-resource`, and the resource's path
   */
  readonly url?: string | undefined;
  /** The authorization servers where clients get a token. @default the configured issuers, byte for byte */
  readonly authorizationServers?: readonly string[] | undefined;
}

/**
 * The protected resource metadata (RFC 9728, section 2). Any further member in camelCase is emitted in snake_case;
 * empty lists are left out.
 */
export interface ResourceMetadataOptions extends KnownMetadataMembers {
  readonly [member: string]: unknown;
}

/** The limits of the token cache. The next request with a remembered token needs no cryptography. */
export interface TokenCacheOptions {
  /** Seconds. Every remembered token is verified again after this time. @default 300 */
  readonly maxAgeSeconds?: number | undefined;
  /** The number of tokens that are remembered. @default 10000 */
  readonly maxEntries?: number | undefined;
  /** Estimated bytes of all remembered tokens together. Beyond it, the least recently used ones are forgotten. @default 67108864 */
  readonly maxBytes?: number | undefined;
}

/** Tokens bound to a key of the client, with the DPoP scheme and a proof in each request (RFC 9449). */
export interface DpopOptions {
  /** `true` refuses every token that is not bound to a key. @default false */
  readonly required?: boolean | undefined;
}

/** Tokens bound to a client certificate (RFC 8705). */
export interface MtlsOptions {
  /**
   * Returns the certificate of the client's connection, as PEM or DER; `undefined` if the client sent none. If a proxy ends
   * TLS, read it from the header that the proxy sets, but only if clients cannot set that header themselves. PEM may have spaces or tabs
   * in place of line ends, and must begin a line. Decode URL-encoded PEM.
   */
  readonly getCertificate: (req: IncomingMessage) => string | Uint8Array | undefined;
  /** `true` refuses every token that is not bound to a certificate. @default false */
  readonly required?: boolean | undefined;
}

/** Tokens that only the client they were issued to can use. */
export interface SenderConstraintOptions {
  /**
   * Accepts tokens bound to a key (RFC 9449), in addition to others unless `required`. Needs `resourceMetadata.resource`, which proofs are
   * checked against. @default refused
   */
  readonly dpop?: DpopOptions | undefined;
  /** Accepts tokens bound to a client certificate (RFC 8705), in addition to others unless `required`. @default refused */
  readonly mtls?: MtlsOptions | undefined;
}

/** The options that hold for all issuers of a policy. */
export interface SharedOptions {
  /** Decides which requests pass without a valid token. @default 'strict' */
  readonly mode?: McpAuthMode | undefined;
  /** The metadata that tells clients about this server (RFC 9728); announced, not enforced. @default {} */
  readonly resourceMetadata?: ResourceMetadataOptions | undefined;
  /** Scopes that every token must have, all of them; each challenge names them. @default [] */
  readonly requiredScopes?: readonly string[] | undefined;
  /**
   * Scopes that a 401 asks clients to request, besides `requiredScopes`: for authorization servers that refuse clients which ask for every
   * scope of the server. `'supported'`: those of `resourceMetadata.scopesSupported`, without `offline_access`.
   *
   * @default those of requiredScopes
   */
  readonly challengeScopes?: readonly string[] | 'supported' | undefined;
  /** Seconds of tolerance for `exp` and `nbf`. @default 30 */
  readonly clockToleranceSeconds?: number | undefined;
  /** Bytes. A longer token is refused before it is parsed. @default 16384 */
  readonly maxTokenBytes?: number | undefined;
  /** Seconds for which known keys stay trusted while the key server cannot be reached. @default 86400 */
  readonly staleIfErrorSeconds?: number | undefined;
  /** Remembers verified tokens; `false` verifies the token of every request again. @default {} */
  readonly tokenCache?: TokenCacheOptions | false | undefined;
  /**
   * Limits the signature checks that forged tokens can cause. Beyond the limit, each new token waits for at most a second. If as many wait as
   * the limit allows in a second, or 1,000, another new token gets 503 with `Retry-After`. Remembered tokens always pass. An attacker who sends
   * that many forged tokens keeps most new tokens out, and good ones too.
   *
   * @default no limit
   */
  readonly maxFailedVerificationsPerSecond?: number | undefined;
  /**
   * Adds members to `req.auth.extra`, in addition to the token's claims, which they override. Called once for each token that is verified,
   * with its content. Must be synchronous and return a plain object. If it throws, the request fails with 500.
   *
   * @default nothing is added
   */
  readonly extra?: AddExtra | undefined;
  /**
   * `true` removes the credential of accepted requests before the next middleware, so that no later code can log or forward it: the
   * token in `Authorization`, the header of `authorizationLocation`, and `x-api-key` if there are `apiKeys`. `req.auth.token` still has it.
   *
   * @default false
   */
  readonly stripAuthorization?: boolean | undefined;
  /** Tokens bound to a key or to a certificate of the client; without it, bound tokens are refused. @default {} */
  readonly senderConstraint?: SenderConstraintOptions | undefined;
  /**
   * The OAuth proxy for the authorization server that `provider` names: clients see this server as their authorization server,
   * and it relays every login. `false` shows them the issuer itself, byte for byte.
   *
   * @default {}
   */
  readonly oauthProxy?: OAuthProxyOptions | false | undefined;
  /**
   * Lets `getUpstreamToken()` exchange the tokens of an issuer for the user's own token for another API. If users log in at an identity
   * provider (`provider: { github: … }`), it needs no option: the token of the login is the user's own.
   *
   * @default none: only tokens that this server issues have an upstream token
   */
  readonly upstreamToken?: UpstreamTokenOptions | undefined;
  /**
   * Lets only its owner use a session (`Mcp-Session-Id`) of an MCP server in the same app; other callers get 404. `remember`: this
   * process remembers who opened a session; an id that it has not seen, for example after a restart, belongs to the first caller who
   * names it. `sign`: clients get ids that are signed together with their owners, which works across restarts and replicas and needs
   * `secret`. `off`: every valid token works in every session. The backends of this package check the owners of their sessions
   * themselves. See docs/sessions.md.
   *
   * @default 'remember'
   */
  readonly sessionOwners?: 'remember' | 'sign' | 'off' | undefined;
  /**
   * The key that signs session ids: 32 characters or more, as `openssl rand -base64 32` prints them. To rotate it, give a list: the
   * first one signs, all verify. Replicas must share it. `undefined` is refused: to have none, leave the option out.
   *
   * @default none: session ids are not signed
   */
  readonly secret?: string | readonly string[] | undefined;
  /**
   * The state that replicas share: revocations, which reach them within a second; DPoP proofs, which are accepted once in all of them; and
   * refresh tokens that this server issued, which can be used once. See docs/store.md.
   *
   * @default none: each process remembers its own
   */
  readonly store?: Store | undefined;
  /**
   * Allows plain http to key servers and authorization servers on other machines, for example in a network of containers.
   * An attacker who can change that traffic can log in as any user. @default false
   */
  readonly dangerouslyAllowHttp?: boolean | undefined;
  /** Called with every decision after it is made. An error that it throws is ignored. */
  readonly onDecision?: ((decision: AuthDecision) => void) | undefined;
  /**
   * Logs key sets that fail and requests that are refused; in permissive mode every request, with what strict mode would
   * have done. @default no logging
   */
  readonly logger?: Logger | undefined;
}

/** One issuer, in the words of agentgateway's `mcpAuthentication` block: that block, parsed from YAML, is the policy. */
export type SingleIssuerPolicy = SharedOptions & CredentialOptions & IssuerOptions & { readonly issuers?: never };

/** The options of an identity provider, beside those that every policy has. */
export interface LoginOptions {
  /** The server where users log in. This server then issues the tokens: see docs/providers.md. */
  readonly provider: IdentityProviderOption;
  /** The id of the application that you registered there, with the callback of this server. */
  readonly clientId: string;
  /** Its secret. */
  readonly clientSecret: string;
}

/** Users log in at a server whose tokens are not meant for this one, and this server issues the tokens. */
export type LoginPolicy = SharedOptions &
  CredentialOptions &
  LoginOptions & { readonly [K in Exclude<keyof IssuerOptions, keyof LoginOptions>]?: never } & {
    readonly issuers?: never;
  };

/** Several issuers. The token's `iss` selects one. */
export type SeveralIssuersPolicy = SharedOptions &
  CredentialOptions & {
    /** Each issuer once, with its own options. May be empty if `apiKeys` or `verifiers` are all that is accepted. */
    readonly issuers: readonly (IssuerOptions | LoginOptions)[];
  } & {
    readonly [K in keyof IssuerOptions]?: never;
  };

/** The policy that `mcpAuth()` and `protectedResourceMetadata()` share. */
export type McpAuthOptions = SingleIssuerPolicy | LoginPolicy | SeveralIssuersPolicy;

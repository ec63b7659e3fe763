import type { IncomingMessage } from 'node:http';
import type { Logger } from '../core/logger.js';
import type { DpopMode } from '../oauth/challenge.js';
import type { AuthDecision } from './auth-decision.js';
import type { McpAuthMode } from './modes.js';
import type { OAuthProxyOptions, ProviderOption } from './oauth-proxy-options.js';

/** A JSON Web Key Set (RFC 7517, section 5). */
export interface Jwks {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/**
 * Where the keys that verify tokens come from: one of a file (watched), a URL (fetched), keys given here, JSON text, or
 * a function that returns the key set of the moment. The function is called for every request and at construction: it
 * must return at once, and return the same object for as long as nothing has changed.
 */
export type JwksOption =
  | { readonly file: string; readonly url?: never; readonly keys?: never }
  | { readonly url: string; readonly file?: never; readonly keys?: never }
  | { readonly keys: Jwks['keys']; readonly file?: never; readonly url?: never }
  | (() => Jwks)
  | string;

export interface JwtValidationOptions {
  /** Claims that must be present, of any name. @default `['exp']` */
  readonly requiredClaims?: readonly string[] | undefined;
}

/** Whose tokens are accepted, and for whom they must be meant. */
export interface IssuerOptions {
  /** Compared byte for byte with the token's `iss` (RFC 7519, section 4.1.1). Need not be a URL. */
  readonly issuer: string;
  /**
   * One of these must stand in the token's `aud`; one closing slash more or less is tolerated, nothing else.
   *
   * @default `[resourceMetadata.resource]`
   */
  readonly audiences?: readonly string[] | undefined;
  /**
   * The claim that names the audience, for servers whose access tokens have no `aud` (Cognito: `client_id`).
   *
   * @default `'aud'`
   */
  readonly audienceClaim?: string | undefined;
  /**
   * What kind of authorization server the issuer is, for one that does not follow the MCP specification by itself. It
   * then stands behind an OAuth proxy: see `oauthProxy`.
   *
   * @default none: clients log in at the issuer itself
   */
  readonly provider?: ProviderOption | undefined;
  /** A client registered at the authorization server by hand, for all MCP clients to share; each user is asked for consent. */
  readonly clientId?: string | undefined;
  /** The secret of `clientId`, where it is a confidential client. Sent to the token endpoint only. */
  readonly clientSecret?: string | undefined;
  /** @default the provider's URL; `{issuer}/.well-known/jwks.json` without one */
  readonly jwks?: JwksOption | undefined;
  /** @default `{}` */
  readonly jwtValidationOptions?: JwtValidationOptions | undefined;
  /**
   * The claim that names the user, for servers whose access tokens have no `sub`. It must name one user for good; one that names the
   * client makes its users one. A token without this claim is a user of its own, whose sessions end with it.
   *
   * @default `'sub'`
   */
  readonly subjectClaim?: string | undefined;
  /** A claim that holds scopes beside `scope` and `scp`, for example `roles` or `permissions`. */
  readonly scopesClaim?: string | undefined;
}

/** The members of the protected resource metadata that we know. */
export interface KnownMetadataMembers {
  /**
   * The URL under which clients reach the MCP server, emitted byte for byte. Where it is left out, the origin of each
   * request stands in (Express's `trust proxy` decides whether a proxy is believed), and `audiences` is required.
   *
   * @default the request's origin
   */
  readonly resource?: string | undefined;
  /** Advertised, not enforced: see `requiredScopes`. */
  readonly scopesSupported?: readonly string[] | undefined;
  readonly bearerMethodsSupported?: readonly string[] | undefined;
  /** @default the configured issuers, byte for byte */
  readonly authorizationServers?: readonly string[] | undefined;
}

/**
 * The protected resource metadata (RFC 9728, section 2). Any further member in camelCase is emitted in snake_case;
 * empty lists are left out.
 */
export interface ResourceMetadataOptions extends KnownMetadataMembers {
  readonly [member: string]: unknown;
}

/** How long a verified token is remembered, so that its next request pays for no cryptography. */
export interface TokenCacheOptions {
  /** Seconds. Every remembered token is verified anew after this time. @default `300` */
  readonly maxAgeSeconds?: number | undefined;
  /** @default `10000` */
  readonly maxEntries?: number | undefined;
  /** Bytes of all of them together, estimated. Beyond it the one that was not used for longest is forgotten. @default `67108864` */
  readonly maxBytes?: number | undefined;
}

/** Tokens bound to a client certificate (RFC 8705). */
export interface MtlsOptions {
  /**
   * The certificate of the client's connection, as PEM or DER; `undefined` where it showed none. Where a proxy ends TLS,
   * read it from the header that the proxy sets, and only where no client can set that header itself.
   */
  readonly getCertificate: (req: IncomingMessage) => string | Uint8Array | undefined;
  /** `true` refuses every token that is not bound to a certificate. @default `false` */
  readonly required?: boolean | undefined;
}

export interface SharedOptions {
  /** @default `'strict'` */
  readonly mode?: McpAuthMode | undefined;
  /** @default `{}` */
  readonly resourceMetadata?: ResourceMetadataOptions | undefined;
  /** Every token must have all of these; named in each challenge. @default `[]` */
  readonly requiredScopes?: readonly string[] | undefined;
  /** Seconds of tolerance for `exp` and `nbf`. @default `30` */
  readonly clockToleranceSeconds?: number | undefined;
  /** Bytes. A longer token is refused before it is looked at. @default `16384` */
  readonly maxTokenBytes?: number | undefined;
  /** Seconds for which known keys go on being trusted while the key server cannot be reached. @default `86400` */
  readonly staleIfErrorSeconds?: number | undefined;
  /** `false` verifies every request again. @default `{}` */
  readonly verifiedTokens?: TokenCacheOptions | false | undefined;
  /**
   * Tokens bound to a key (RFC 9449): `accept` takes them beside bearer tokens, `require` takes nothing else. A bound
   * token presented as a bearer token is refused whatever stands here. Needs `resourceMetadata.resource`, which proofs are
   * checked against. @default `'off'`
   */
  readonly dpop?: DpopMode | undefined;
  /** Tokens bound to a client certificate (RFC 8705). @default refused */
  readonly mtls?: MtlsOptions | undefined;
  /**
   * Our side of the authorization server that `provider` names: clients see this server as their authorization server,
   * and every login is relayed. `false` shows them the issuer itself, byte for byte.
   *
   * @default `{}`
   */
  readonly oauthProxy?: OAuthProxyOptions | false | undefined;
  /**
   * Whose session an `Mcp-Session-Id` names, for MCP servers in the same app: another caller's is answered with the 404 of an unknown
   * session. `remember`: this process remembers who opened which session; an id that it never saw, as after a restart, belongs to the
   * first who names it. `sign`: clients get ids that are signed together with their owners, which holds across restarts and replicas;
   * needs `secret`. Our own backends keep the owners of their sessions themselves. See docs/sessions.md.
   *
   * @default `'remember'`
   */
  readonly sessionOwners?: 'remember' | 'sign' | 'off' | undefined;
  /**
   * What session ids are signed with: 32 characters or more, as `openssl rand -base64 32` prints them. Of a list, the first signs and
   * all verify. Replicas share it; without it, only `remember` is possible.
   *
   * @default none: session ids are not signed
   */
  readonly secret?: string | readonly string[] | undefined;
  /**
   * Plain http to key servers and authorization servers that are not on this machine, for example in a network of
   * containers. Whoever can change what passes there can log in as anybody. @default `false`
   */
  readonly dangerouslyAllowHttp?: boolean | undefined;
  /** Called with every decision, after it is made; what it throws changes nothing. */
  readonly onDecision?: ((decision: AuthDecision) => void) | undefined;
  /**
   * Told about key sets that fail, and about requests that are refused; in permissive mode about every request, and what strict
   * would have done. @default no logging
   */
  readonly logger?: Logger | undefined;
}

/** One issuer, in the words of agentgateway's `mcpAuthentication` block: that block, parsed from YAML, is the policy. */
export type SingleIssuerPolicy = SharedOptions & IssuerOptions & { readonly issuers?: never };

/** Several issuers: the token's `iss` chooses. */
export type SeveralIssuersPolicy = SharedOptions & { readonly issuers: readonly IssuerOptions[] } & {
  readonly [K in keyof IssuerOptions]?: never;
};

/** The policy that `mcpAuth()` and `protectedResourceMetadata()` share. */
export type McpAuthOptions = SingleIssuerPolicy | SeveralIssuersPolicy;

import type { ProviderName } from '../providers/providers.js';
import type { ProviderSwitches } from '../providers/switches.js';
import type { ClientDocumentsOptions } from './client-documents-options.js';

/** Exactly one of the providers: `'keycloak'`, or in agentgateway's shape `{ keycloak: {} }`, with switches of that server. */
export type ProviderOption =
  | ProviderName
  | {
      [Name in ProviderName]: { readonly [K in Name]: ProviderSwitches } & {
        readonly [K in Exclude<ProviderName, Name>]?: never;
      };
    }[ProviderName];

/** A client whose id its user types in. */
export interface ConfiguredClientOptions {
  /** The redirect URIs that it may have, exactly. On loopback, any port matches. */
  readonly redirectUris: readonly string[];
  /**
   * The secret that it must send, of 32 characters or more. `undefined` is refused: to have none, leave the option out.
   *
   * @default none: the client is public
   */
  readonly secret?: string | undefined;
}

/** The OAuth proxy: this server acts as the authorization server that clients see. */
export interface OAuthProxyOptions {
  /**
   * The encryption key for client ids and pending logins: 32 characters or more, as `openssl rand -base64 32` prints them. To
   * rotate it, give a list: the first one encrypts, all decrypt. Replicas must share it. If it is lost, clients must log in
   * again. `undefined` is refused: to have none, leave the option out.
   *
   * @default a random one, with a warning
   */
  readonly secret?: string | readonly string[] | undefined;
  /** Serves `/authorize`, `/token` and `/register` at the origin too, for clients of 2025-03-26 that ignore metadata. @default false */
  readonly legacyEndpoints?: boolean | undefined;
  /**
   * The URL of the authorization server's metadata, if this server reaches it under another address than browsers do. The
   * document must still name the issuer. @default derived from issuer and provider
   */
  readonly metadataUrl?: string | undefined;
  /**
   * The only redirect URIs that clients may have: whole ones, or `https://host/*` for every path of a host. On loopback, any
   * port matches.
   *
   * @default https, http on loopback, and private-use schemes
   */
  readonly allowedRedirectUris?: readonly string[] | undefined;
  /** Clients that publish a metadata document, whose URL is their client id. @default {} */
  readonly clientDocuments?: ClientDocumentsOptions | undefined;
  /**
   * Clients by id, for programs into which a user types a client id: `{ 'my-id': { redirectUris: ['https://claude.ai/api/mcp/auth_callback'] } }`.
   *
   * @default {}
   */
  readonly clients?: Readonly<Record<string, ConfiguredClientOptions>> | undefined;
  /** `false` refuses further registrations (RFC 7591). Clients that have registered stay. @default true */
  readonly registration?: boolean | undefined;
}

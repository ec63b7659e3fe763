import type { ProviderName } from '../providers/providers.js';
import type { ProviderSwitches } from '../providers/switches.js';

/** Exactly one of the providers: `'keycloak'`, or in agentgateway's shape `{ keycloak: {} }`, with switches of that server. */
export type ProviderOption =
  | ProviderName
  | {
      [Name in ProviderName]: { readonly [K in Name]: ProviderSwitches } & {
        readonly [K in Exclude<ProviderName, Name>]?: never;
      };
    }[ProviderName];

/** The OAuth proxy: this server acts as the authorization server that clients see. */
export interface OAuthProxyOptions {
  /**
   * The encryption key for client ids and pending logins: 32 characters or more, as `openssl rand -base64 32` prints them. To
   * rotate it, give a list: the first one encrypts, all decrypt. Replicas must share it. If it is lost, clients must log in
   * again.
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
}

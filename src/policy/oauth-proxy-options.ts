import type { ProviderName } from '../providers/providers.js';

/** Exactly one of the providers: `'keycloak'`, or in agentgateway's shape `{ keycloak: {} }`. */
export type ProviderOption =
  | ProviderName
  | {
      [Name in ProviderName]: { readonly [K in Name]: Readonly<Record<string, never>> } & {
        readonly [K in Exclude<ProviderName, Name>]?: never;
      };
    }[ProviderName];

/** How this server appears as the authorization server. */
export interface OAuthProxyOptions {
  /**
   * What client ids and logins are sealed with: 32 characters or more, as `openssl rand -base64 32` prints them. Of a
   * list, the first seals and all open. Replicas share it; clients must log in again when it is lost.
   *
   * @default a random one, with a warning
   */
  readonly secret?: string | readonly string[] | undefined;
  /** `/authorize`, `/token` and `/register` at our origin, for clients of 2025-03-26 that ignore metadata. @default false */
  readonly legacyEndpoints?: boolean | undefined;
  /**
   * Where the authorization server's metadata is, where this server reaches it under another address than browsers do.
   * The document must name the issuer all the same. @default derived from issuer and provider
   */
  readonly metadataUrl?: string | undefined;
  /**
   * The only redirect URIs that clients may have: whole ones, or `https://host/*` for every address of a host. On loopback,
   * every port is meant.
   *
   * @default https, http on loopback, and private-use schemes
   */
  readonly allowedRedirectUris?: readonly string[] | undefined;
}

import { createHash } from 'node:crypto';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import { OAuthError } from './oauth-error.js';
import type { OAuthProxySeal, SealedClient } from './sealed-contents.js';

/** A registered client. Its sealed id contains everything that is known about it. */
export interface Client extends SealedClient {
  /** The id that the client knows: sealed. */
  readonly id: string;
}

export type Clients = ReturnType<typeof createClients>;

/** Seals clients into their ids, and opens the ids again. */
export function createClients(seal: OAuthProxySeal) {
  return {
    /** @returns The client id. */
    register: (client: SealedClient): string => seal.close('client', client),
    /** @throws {OAuthError} `invalid_client` */
    open(id: string | undefined): Client {
      const client = seal.open('client', id);
      if (id === undefined || client === undefined) {
        throw new OAuthError('invalid_client', 'The client is not registered here and must register again');
      }
      return { ...client, id };
    },
  };
}

/** True for the configured client, which all clients share if the policy has a `clientId`. */
export function isConfiguredClient(
  { client: shared }: Pick<ResolvedOAuthProxy, 'client'>,
  { upstreamId }: Client,
): boolean {
  return upstreamId === shared?.id;
}

/** A short hash that replaces long values in sealed ones. */
export function fingerprint(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}

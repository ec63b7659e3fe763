import { createHash } from 'node:crypto';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import { OAuthError } from './oauth-error.js';
import type { OAuthProxySeal, SealedClient } from './sealed-contents.js';

/** A registered client: its sealed id contains everything that is known of it. */
export interface Client extends SealedClient {
  /** As the client knows it. */
  readonly id: string;
}

export type Clients = ReturnType<typeof createClients>;

export function createClients(seal: OAuthProxySeal) {
  return {
    /** @returns The client id. */
    register: (client: SealedClient): string => seal.close('client', client),
    /** @throws {OAuthError} `invalid_client` */
    open(id: string | undefined): Client {
      const client = seal.open('client', id);
      if (id === undefined || client === undefined) {
        throw new OAuthError('invalid_client', 'The client is not registered here; it has to register anew');
      }
      return { ...client, id };
    },
  };
}

/** True if it is the configured client, which all clients share if the server registers none. */
export function isConfiguredClient(
  { client: shared }: Pick<ResolvedOAuthProxy, 'client'>,
  { upstreamId }: Client,
): boolean {
  return upstreamId === shared?.id;
}

/** Stands for a long value in a sealed one. */
export function fingerprint(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}

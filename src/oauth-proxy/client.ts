import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import type { ClientDocument } from './documents/client-document.js';

interface KnownClient {
  /** The id that the client knows. */
  readonly id: string;
  /** The name that the client gave itself; it is unverified. */
  readonly name: string | undefined;
  /** The client as the log names it. */
  readonly label: string | undefined;
  readonly redirectUris: readonly string[];
  /** Its id at the upstream server. Undefined if it is registered there at each login, for a client that did not register itself. */
  readonly upstreamId: string | undefined;
  /** The scopes of the resource that it may have at the upstream server. Undefined if that is not known. */
  readonly scopes?: readonly string[] | undefined;
}

/** A client that registered itself. Its sealed id contains everything that is known about it, and only the upstream server knows its secret. */
export interface RegisteredClient extends KnownClient {
  readonly source: 'registered';
  readonly upstreamId: string;
}

/** A client of `oauthProxy.clients`. */
export interface ClientOfOptions extends KnownClient {
  readonly source: 'configured';
  readonly secretHash: Buffer | undefined;
}

/** A client whose id is the URL of its metadata document. */
export interface DocumentedClient extends KnownClient {
  readonly source: 'document';
  readonly document: ClientDocument;
}

export type Client = RegisteredClient | ClientOfOptions | DocumentedClient;

/** True for a client that shares the policy's `clientId` with others. */
export function sharesClient(
  { client: shared }: Pick<ResolvedOAuthProxy, 'client'>,
  { upstreamId }: Pick<Client, 'upstreamId'>,
): boolean {
  return shared !== undefined && upstreamId === shared.id;
}

import type { IncomingMessage } from 'node:http';
import { canParseUrl } from '../http/can-parse-url.js';
import { callerNetwork } from '../limits/caller-address.js';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import type { Client, ClientOfOptions, DocumentedClient, RegisteredClient } from './client.js';
import type { ClientDocument } from './documents/client-document.js';
import type { ClientDocuments } from './documents/client-documents.js';
import { OAuthError } from './oauth-error.js';
import type { RefusalLog } from './refusal-log.js';
import { registeredScopes } from './registration-scopes.js';
import type { OAuthProxySeal, SealedClient } from './sealed-contents.js';

export type Clients = ReturnType<typeof createClients>;

export interface ClientSources {
  readonly options: Pick<ResolvedOAuthProxy, 'client' | 'clients' | 'provider' | 'scopes'>;
  readonly seal: OAuthProxySeal;
  /** Undefined if documents are disabled. */
  readonly documents: ClientDocuments | undefined;
  readonly refusals: RefusalLog;
}

/** Seals registered clients into their ids, and finds every client by its id. */
export function createClients({ options, seal, documents, refusals }: ClientSources) {
  const find = async (id: string | undefined, req: IncomingMessage): Promise<Client> => {
    if (id !== undefined && isUrl(id)) {
      refusals.about(req, { client: hostOf(id) });
      if (documents === undefined) throw documentsDisabled();
      return documentedClient(await documents.get(id, callerNetwork(req)), options);
    }
    return configuredClient(id, options) ?? registeredClient(id, seal);
  };
  return {
    /** @returns The client id. */
    register: (client: SealedClient): string => seal.close('client', client),
    /**
     * Finds a client, and notes it for the log.
     *
     * @throws {OAuthError} `invalid_client`
     * @throws {UpstreamError} Its metadata document cannot be fetched now.
     */
    async find(id: string | undefined, req: IncomingMessage): Promise<Client> {
      const client = await find(id, req);
      refusals.about(req, { client: client.label });
      return client;
    },
  };
}

function documentsDisabled(): OAuthError {
  const advice = 'to accept it, set oauthProxy.clientDocuments.enabled to true';
  return new OAuthError('invalid_client', 'A client_id that is a URL is not accepted here', 401, { advice });
}

function documentedClient(document: ClientDocument, options: ClientSources['options']): DocumentedClient {
  const { url: id, host: label, name, redirectUris } = document;
  const { scope } = document.members;
  const scopes = registeredScopes(options, scope, scope);
  return { source: 'document', id, name, label, redirectUris, upstreamId: options.client?.id, scopes, document };
}

function configuredClient(
  id: string | undefined,
  { client: shared, clients }: ClientSources['options'],
): ClientOfOptions | undefined {
  const known = id === undefined ? undefined : clients.get(id);
  if (id === undefined || known === undefined) return undefined;
  return { source: 'configured', id, name: id, label: id, upstreamId: shared?.id, ...known };
}

function registeredClient(id: string | undefined, seal: OAuthProxySeal): RegisteredClient {
  const client = seal.open('client', id);
  if (id === undefined || client === undefined) {
    throw new OAuthError('invalid_client', 'The client is not registered here and must register again');
  }
  return { source: 'registered', id, label: client.name, ...client };
}

/** True for the id of a client with a metadata document. Ids of http URLs too, so that they are refused by the rules for these. */
function isUrl(id: string): boolean {
  return /^https?:\/\//i.test(id);
}

function hostOf(url: string): string {
  return canParseUrl(url) ? new URL(url).host : url;
}

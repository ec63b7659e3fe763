import type { JSONWebKeySet } from 'jose';
import { CLIENT_ID_URL, clientIdUrl } from '../../oauth/client-id-url.js';
import { matchesClientId, type ResolvedClientDocuments } from '../../policy/resolve-client-documents.js';
import type { ResourceIdentity } from '../../policy/resolve-resource.js';
import { type LogNote, OAuthError } from '../oauth-error.js';
import { type ClientDocument, isKeySet, readClientDocument } from './client-document.js';
import { documentRefusal } from './document-answer.js';
import { createDocumentCache } from './document-cache.js';
import { createDocumentFetch, type DocumentNetwork, INTERNET, obstacleTo } from './document-fetch.js';
import { createFetchLimit } from './document-fetch-limit.js';

/** A key that its client has withdrawn must not stay in use for longer. */
const MAX_KEYS_SECONDS = 3_600;

const OTHER_ID: LogNote = { advice: 'correct the client id in the client' };

/** The metadata documents of clients. The callers are networks, as `callerNetwork()` returns them. */
export interface ClientDocuments {
  /**
   * Returns the document of a client. It is fetched, or comes from the cache.
   *
   * @throws {OAuthError} `invalid_client`: the URL, its answer or the document does not follow the rules, or is not allowed.
   * @throws {UpstreamError} The document cannot be fetched now, or too many are.
   */
  get(clientId: string, caller: string): Promise<ClientDocument>;
  /**
   * Returns the keys that a client publishes at its `jwks_uri`, in the same way.
   *
   * @param insufficient A key set that was returned before, and lacks the key that is needed. A newer one is fetched.
   */
  getKeys(jwksUri: URL, caller: string, insufficient?: JSONWebKeySet): Promise<JSONWebKeySet>;
  /** The reason why no document can be fetched, with advice for the log. Documents must then not be announced. Undefined if some can. */
  readonly obstacle: string | undefined;
}

/** Creates the source of metadata documents of one OAuth proxy. */
export function createClientDocuments(
  { allow }: Pick<ResolvedClientDocuments, 'allow'>,
  resource: Pick<ResourceIdentity, 'hostname'>,
  network: DocumentNetwork = INTERNET,
): ClientDocuments {
  const fetchJson = createDocumentFetch(allow, resource, network);
  const startFetch = createFetchLimit();
  const isListed = (url: string) => allow?.includes(url) === true;
  /** The key sets of listed documents, by the URL of the document. */
  const listedKeys = new Map<string, string>();
  const document = createDocumentCache(async (url) => {
    const { body, ...rest } = await fetchJson(url);
    const refuse = (rule: string) => {
      throw documentRefusal(url, rule);
    };
    const document = readClientDocument(url, body, refuse);
    const { keys } = document;
    if (isListed(url.href) && keys && 'jwksUri' in keys) listedKeys.set(url.href, keys.jwksUri.href);
    return { document, ...rest };
  }, startFetch);
  const keySet = createDocumentCache<JSONWebKeySet>(async (url) => {
    const { body, ...rest } = await fetchJson(url);
    if (!isKeySet(body)) throw documentRefusal(url, 'name a jwks_uri with a key set: an object with keys');
    return { document: body, ...rest, lifetimeSeconds: Math.min(rest.lifetimeSeconds, MAX_KEYS_SECONDS) };
  }, startFetch);

  return {
    async get(clientId, caller) {
      const url = clientIdUrl(clientId);
      if (url === undefined)
        throw new OAuthError('invalid_client', `A client_id that is a URL must be ${CLIENT_ID_URL}`, 401, OTHER_ID);
      if (allow !== undefined && !allow.some((pattern) => matchesClientId(pattern, clientId))) throw notAllowed(url);
      return document({ url, caller, isListed: isListed(clientId) });
    },
    getKeys: async (url, caller, insufficient) =>
      keySet({ url, caller, insufficient, isListed: [...listedKeys.values()].includes(url.href) }),
    obstacle: obstacleTo(allow, network),
  };
}

function notAllowed({ host }: URL): OAuthError {
  return new OAuthError('invalid_client', 'This server does not accept this client metadata document', 401, {
    reason: `the metadata document on ${host} is not allowed`,
    advice: `to accept it, add "https://${host}/*" to oauthProxy.clientDocuments.allow`,
  });
}

import type { JSONWebKeySet } from 'jose';
import { isRecord, stringsIn } from '../../http/json-object.js';
import { clientIdUrl } from '../../oauth/client-id-url.js';
import { type ClientMembers, clientMembers, clientName, clientRedirectUris, REDIRECT_URIS } from '../client-members.js';

/** A client as its metadata document describes it, checked. */
export interface ClientDocument {
  /** The client id, byte for byte. */
  readonly url: string;
  /** The host of the client id, for the consent page: the client chose everything else itself. */
  readonly host: string;
  readonly name: string | undefined;
  readonly redirectUris: readonly string[];
  /** The keys with which the client authenticates (`private_key_jwt`). Undefined if it does not authenticate (`none`). */
  readonly keys: ClientKeys | undefined;
  /** The members for a registration at the upstream server. */
  readonly members: ClientMembers;
}

/** The keys of a client, or the URL where it publishes them. */
export type ClientKeys = { readonly jwks: JSONWebKeySet } | { readonly jwksUri: URL };

/** The JSON object of a document. */
type Metadata = Readonly<Record<string, unknown>>;

/** Refuses a document. Takes the rule that it breaks, as the end of a sentence that begins with "The client metadata document must". */
export type RefuseDocument = (rule: string) => never;

const SHARED_SECRET = /^client_secret_/;

/** Checks the metadata document of a client (draft-ietf-oauth-client-id-metadata-document, "Client Metadata Document"). */
export function readClientDocument(url: URL, given: Metadata, refuse: RefuseDocument): ClientDocument {
  if (given.client_id !== url.href) return refuse('have a client_id that equals its URL, byte for byte');
  if (given.client_secret !== undefined || given.client_secret_expires_at !== undefined) {
    return refuse('have neither client_secret nor client_secret_expires_at: no secret can be shared');
  }
  requireWord(given, 'grant_types', 'authorization_code', refuse);
  requireWord(given, 'response_types', 'code', refuse);
  // A picture would be fetched from an address that the client chose, and could show the sign of another one.
  const { logo_uri: _logo, ...members } = clientMembers(given);
  return Object.freeze({
    url: url.href,
    host: url.host,
    name: clientName(given),
    redirectUris: clientRedirectUris(given) ?? refuse(`have redirect_uris that are ${REDIRECT_URIS}`),
    keys: readAuthentication(given, refuse),
    members: Object.freeze(members),
  });
}

function requireWord(given: Metadata, member: string, word: string, refuse: RefuseDocument): void {
  if (given[member] !== undefined && !stringsIn(given[member]).includes(word)) refuse(`have ${word} in ${member}`);
}

/**
 * Returns the keys for the first method that the client offers and that can be used here: `token_endpoint_auth_method`, then those of the
 * list that ChatGPT and others add. Without both, the method is `none`, since no secret can be shared.
 */
function readAuthentication(given: Metadata, refuse: RefuseDocument): ClientKeys | undefined {
  const { token_endpoint_auth_method: method, token_endpoint_auth_methods_supported: list } = given;
  if (typeof method === 'string' && SHARED_SECRET.test(method)) {
    return refuse('not name a token_endpoint_auth_method with a shared secret');
  }
  const offered = [...(method === undefined ? [] : [method]), ...stringsIn(list)];
  for (const each of offered.length === 0 ? ['none'] : offered) {
    if (each === 'none') return undefined;
    const keys = each === 'private_key_jwt' ? readKeys(given) : undefined;
    if (keys !== undefined) return keys;
  }
  return refuse(
    'offer the token_endpoint_auth_method none, or private_key_jwt with either jwks or jwks_uri, an https URL with a path',
  );
}

function readKeys({ jwks, jwks_uri: uri }: Metadata): ClientKeys | undefined {
  // Not both (RFC 7591, section 2).
  if (uri !== undefined) {
    const jwksUri = jwks === undefined && typeof uri === 'string' ? clientIdUrl(uri) : undefined;
    return jwksUri && { jwksUri };
  }
  return isKeySet(jwks) ? { jwks } : undefined;
}

/** True for a key set (RFC 7517, section 5). The keys themselves are not checked. */
export function isKeySet(value: unknown): value is JSONWebKeySet {
  return isRecord(value) && Array.isArray(value.keys) && value.keys.every(isRecord);
}

import { isLoopbackAddress, isLoopbackHost } from '../../http/loopback.js';
import type { ResolvedClientDocuments } from '../../policy/resolve-client-documents.js';
import type { ResourceIdentity } from '../../policy/resolve-resource.js';
import { USER_AGENT } from '../../upstream/call-server.js';
import { createDnsResolve } from '../../upstream/dns-addresses.js';
import { type Environment, type ForwardProxy, forwardProxyFor } from '../../upstream/forward-proxy.js';
import type { Guard } from '../../upstream/guard.js';
import { guardedFetch, MACHINE, type Network } from '../../upstream/guarded-fetch.js';
import { proxiedFetch } from '../../upstream/proxied-fetch.js';
import { isPublicAddress } from '../../upstream/public-address.js';
import { OAuthError } from '../oauth-error.js';
import {
  DOCUMENT_BOUNDS,
  documentError,
  isDocumentAnswer,
  type PublishedJson,
  parseDocumentAnswer,
} from './document-answer.js';

/** The network in which documents are fetched. Tests have their own. */
export interface DocumentNetwork extends Partial<Network> {
  readonly isPublic: (address: string) => boolean;
  /** The variables that may name a forward proxy. */
  readonly env: Environment;
}

export const INTERNET: DocumentNetwork = Object.freeze({
  isPublic: isPublicAddress,
  // biome-ignore lint/style/noProcessEnv: undici reads these variables for other calls too
  env: process.env,
});

type AllowedDocuments = ResolvedClientDocuments['allow'];

const INIT = Object.freeze({
  headers: Object.freeze({ accept: 'application/json', 'user-agent': USER_AGENT }),
});

/**
 * Creates the function that fetches a JSON object from a URL that a client chose.
 *
 * @returns A function that throws an `OAuthError` if the client must change something, and an `UpstreamError` if there was no answer.
 */
export function createDocumentFetch(
  allow: AllowedDocuments,
  { hostname }: Pick<ResourceIdentity, 'hostname'>,
  { isPublic, env, ca, resolve }: DocumentNetwork,
) {
  // The draft allows loopback addresses only to a server that is on the same loopback interface.
  const isLoopback = isLoopbackHost(hostname);
  const guard: Guard = {
    mayConnect: (address) => isPublic(address) || (isLoopback && isLoopbackAddress(address)),
    mayUsePort: (port) => port === 443 || port > 1_023,
    reads: isDocumentAnswer,
    isDirect: true,
  };
  // Names of loopback addresses are in files of the machine, and not in DNS.
  const network = { ca, resolve: resolve ?? (isLoopback ? MACHINE.resolve : createDnsResolve()) };
  return async (url: URL): Promise<PublishedJson> => {
    const proxy = forwardProxyFor(url, env);
    if (proxy !== undefined && !isAllowedHost(allow, url)) throw refusalBehindProxy(url, proxy);
    const fetching =
      proxy === undefined
        ? guardedFetch(url, INIT, DOCUMENT_BOUNDS, guard, network)
        : proxiedFetch(url, { ...INIT, proxy: proxy.value, ca }, DOCUMENT_BOUNDS, guard);
    const answer = await fetching.catch((error: unknown) => {
      throw documentError(url, error);
    });
    return parseDocumentAnswer(url, answer);
  };
}

function isAllowedHost(allow: AllowedDocuments, { host }: URL): boolean {
  return allow?.some((pattern) => new URL(pattern).host === host) === true;
}

const BEHIND_PROXY = 'names a forward proxy, which resolves names itself';

function refusalBehindProxy({ host }: URL, { name }: ForwardProxy): OAuthError {
  const message = 'This server cannot check the address of this client metadata document';
  return new OAuthError('invalid_client', message, 401, {
    reason: `${host} is not called, since ${name} ${BEHIND_PROXY}`,
    advice: `add "https://${host}/*" to oauthProxy.clientDocuments.allow, or ${host} to NO_PROXY`,
  });
}

const ANY_HOST = new URL('https://client.invalid/');

/** Returns the reason why no document can be fetched, whatever its host, and what to do. Undefined if some can. */
export function obstacleTo(allow: AllowedDocuments, { env }: Pick<DocumentNetwork, 'env'>): string | undefined {
  const proxy = allow === undefined ? forwardProxyFor(ANY_HOST, env) : undefined;
  return (
    proxy &&
    `${proxy.name} ${BEHIND_PROXY}: list the hosts of documents in oauthProxy.clientDocuments.allow, or set clientDocuments.enabled to false`
  );
}

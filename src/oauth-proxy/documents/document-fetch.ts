import { UpstreamError } from '../../core/errors.js';
import { isRecord } from '../../http/json-object.js';
import { isLoopbackAddress, isLoopbackHost } from '../../http/loopback.js';
import { parseStrictJson } from '../../messages/strict-json.js';
import type { ResourceIdentity } from '../../policy/resolve-resource.js';
import { type BoundedAnswer, FetchError } from '../../upstream/bounded-fetch.js';
import { cacheLifetimeSeconds } from '../../upstream/cache-lifetime.js';
import { UNREADABLE_ENCODING } from '../../upstream/content-encoding.js';
import {
  ADDRESS_REFUSED,
  type Guard,
  guardedFetch,
  MACHINE,
  type Network,
  PORT_REFUSED,
} from '../../upstream/guarded-fetch.js';
import { isPublicAddress } from '../../upstream/public-address.js';
import { OAuthError } from '../oauth-error.js';

/** The draft recommends 5 KiB. Documents with keys in them are longer. */
const BOUNDS = { timeoutMs: 3_000, maxBytes: 16_384 };
const MAX_LIFETIME_SECONDS = 86_400;

const JSON_TYPE = /^application\/(?:[\w!#$&^.+-]+\+)?json[ \t]*(?:;|$)/i;

/** A JSON object that a client publishes. */
export interface PublishedJson {
  readonly body: Readonly<Record<string, unknown>>;
  readonly lifetimeSeconds: number;
  readonly bytes: number;
}

/** How documents are reached. Tests hand in others. */
export interface DocumentNetwork extends Network {
  readonly isPublic: (address: string) => boolean;
}

export const INTERNET: DocumentNetwork = Object.freeze({ ...MACHINE, isPublic: isPublicAddress });

/**
 * Creates the function that fetches a JSON object from a URL that a client chose.
 *
 * @returns A function that throws an `OAuthError` if the client must change something, and an `UpstreamError` if there was no answer.
 */
export function createDocumentFetch({ hostname }: Pick<ResourceIdentity, 'hostname'>, network: DocumentNetwork) {
  // The draft allows loopback addresses only to a server that is on the same loopback interface.
  const isLoopback = isLoopbackHost(hostname);
  const guard: Guard = {
    mayConnect: (address) => network.isPublic(address) || (isLoopback && isLoopbackAddress(address)),
    mayUsePort: (port) => port === 443 || port > 1_023,
    reads: (headers, status) => status === 200 && JSON_TYPE.test(headers.get('content-type') ?? ''),
    isDirect: true,
  };
  return async (url: URL): Promise<PublishedJson> => {
    const init = { headers: { accept: 'application/json', 'user-agent': 'express-mcp-auth' } };
    const answer = await guardedFetch(url, init, BOUNDS, guard, network).catch((error: unknown) => failed(url, error));
    const body = parseAnswer(url, answer);
    const lifetimeSeconds = cacheLifetimeSeconds(answer.headers, MAX_LIFETIME_SECONDS);
    return { body, lifetimeSeconds, bytes: answer.bytes.length };
  };
}

/** These errors are the client's: the URL that it chose cannot be called. */
const REFUSED = new Set<string | undefined>([ADDRESS_REFUSED, PORT_REFUSED, UNREADABLE_ENCODING]);

function failed(url: URL, error: unknown): never {
  if (!(error instanceof FetchError)) throw error;
  if (REFUSED.has(error.code))
    throw refusalOf(url, 'be on a public address and a port that may be called', error.message);
  throw unavailable(url, error.message, error);
}

function parseAnswer(url: URL, { status, headers, bytes, isWhole }: BoundedAnswer): Readonly<Record<string, unknown>> {
  if (status === 408 || status === 429 || status >= 500) throw unavailable(url, `it answered with status ${status}`);
  if (status !== 200)
    throw refusalOf(url, 'be served with status 200, without a redirect', `it answered with status ${status}`);
  if (!JSON_TYPE.test(headers.get('content-type') ?? ''))
    throw refusalOf(url, 'have the Content-Type application/json');
  if (!isWhole) throw refusalOf(url, `have at most ${BOUNDS.maxBytes} bytes, also after decompression`);
  return parseBody(bytes) ?? refuse(url, 'be one JSON object in UTF-8, without a member that appears twice');
}

function parseBody(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isRecord(value) ? value : undefined;
  } catch {
    // The caller refuses it. The error would quote the document.
    return undefined;
  }
}

function unavailable({ host }: URL, reason: string, error?: Error): UpstreamError {
  const cause = new Error(`${host}: ${reason}`, { cause: error });
  return new UpstreamError('client_document_unavailable', { cause });
}

function refuse(url: URL, rule: string): never {
  throw refusalOf(url, rule);
}

/** @param found Says to the operator what was found. */
export function refusalOf({ host }: URL, rule: string, found?: string): OAuthError {
  const message = `The client metadata document must ${rule}`;
  return new OAuthError('invalid_client', message, 401, {
    reason: `${message} (${host}${found === undefined ? '' : `: ${found}`})`,
    advice:
      'tell the publisher of the document, or set oauthProxy.clientDocuments.enabled to false so that clients register',
  });
}

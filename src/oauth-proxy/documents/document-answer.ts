import { UpstreamError } from '../../core/errors.js';
import { isRecord } from '../../http/json-object.js';
import { parseStrictJson } from '../../messages/strict-json.js';
import { type BoundedAnswer, FetchError } from '../../upstream/bounded-fetch.js';
import { cacheLifetimeSeconds } from '../../upstream/cache-lifetime.js';
import { UNREADABLE_ENCODING } from '../../upstream/content-encoding.js';
import { ADDRESS_REFUSED, PORT_REFUSED } from '../../upstream/guard.js';
import { OAuthError } from '../oauth-error.js';

/** The draft recommends 5 KiB. Documents with keys in them are longer. */
export const DOCUMENT_BOUNDS = Object.freeze({ timeoutMs: 3_000, maxBytes: 16_384 });

const MAX_LIFETIME_SECONDS = 86_400;

const JSON_TYPE = /^application\/(?:[\w!#$&^.+-]+\+)?json[ \t]*(?:;|$)/i;

/** A JSON object that a client publishes. */
export interface PublishedJson {
  readonly body: Readonly<Record<string, unknown>>;
  readonly lifetimeSeconds: number;
  readonly bytes: number;
}

/** True for an answer that may be a document: its body is then read. */
export function isDocumentAnswer(headers: Headers, status: number): boolean {
  return status === 200 && JSON_TYPE.test(headers.get('content-type') ?? '');
}

/**
 * Returns the JSON object in an answer.
 *
 * @throws {OAuthError} The publisher of the document must change something.
 * @throws {UpstreamError} The host is not able to answer now.
 */
export function parseDocumentAnswer(url: URL, answer: BoundedAnswer): PublishedJson {
  const { status, headers, bytes, isWhole } = answer;
  const seen = `it answered with status ${status}`;
  if (status === 408 || status === 429 || status >= 500) throw unavailable(url, seen);
  if (status !== 200) throw documentRefusal(url, 'be served with status 200, without a redirect', seen);
  if (!isDocumentAnswer(headers, status)) throw documentRefusal(url, 'have the Content-Type application/json');
  if (!isWhole) throw documentRefusal(url, `have at most ${DOCUMENT_BOUNDS.maxBytes} bytes, also after decompression`);
  const body = parseBody(bytes);
  if (body === undefined) {
    throw documentRefusal(url, 'be one JSON object in UTF-8, without a member that appears twice');
  }
  return { body, lifetimeSeconds: cacheLifetimeSeconds(headers, MAX_LIFETIME_SECONDS), bytes: bytes.length };
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

/** The rules of a URL that a client can break, by the code of the error. */
const RULES: ReadonlyMap<string | undefined, string> = new Map([
  [ADDRESS_REFUSED, 'be on a public address'],
  [PORT_REFUSED, 'be on port 443 or above 1023'],
  [UNREADABLE_ENCODING, 'be sent without compression, or with gzip, deflate or br'],
]);

/** For `catch()`: turns a failed fetch into the error for the client. */
export function documentError(url: URL, error: unknown): OAuthError | UpstreamError {
  if (!(error instanceof FetchError)) throw error;
  const rule = RULES.get(error.code);
  if (rule !== undefined) return documentRefusal(url, rule, error.message);
  const advice = 'if this server cannot reach the internet, set oauthProxy.clientDocuments.enabled to false';
  return unavailable(url, error.answered ? error.message : `${error.message}; ${advice}`, error);
}

function unavailable({ host }: URL, reason: string, error?: Error): UpstreamError {
  const cause = new Error(`${host}: ${reason}`, { cause: error });
  return new UpstreamError('client_document_unavailable', { cause });
}

/** @param found Says to the operator what was found. */
export function documentRefusal({ host }: URL, rule: string, found?: string): OAuthError {
  const message = `The client metadata document must ${rule}`;
  return new OAuthError('invalid_client', message, 401, {
    reason: `${message} (${host}${found === undefined ? '' : `: ${found}`})`,
    advice:
      'tell the publisher of the document, or set oauthProxy.clientDocuments.enabled to false so that clients register',
  });
}

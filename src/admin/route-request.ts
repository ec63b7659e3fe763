import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { parseJsonObject } from '../http/json-object.js';
import { EventReader } from '../targets/http/event-reader.js';
import { AdminError } from './admin-error.js';
import type { CallAddress } from './admin-source.js';

/** Bytes of an answer. */
const MAX_ANSWER_BYTES = 4_194_304;
/** Characters of a refusal that are shown. */
const MAX_REFUSAL = 500;

/** One HTTP request to a route of this process. */
export interface RouteRequest {
  readonly method: 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** A JSON-RPC message. */
type Message = Readonly<Record<string, unknown>>;

/** The answer to a JSON-RPC request. */
export interface RouteAnswer {
  readonly message: Message;
  /** The same as it was written: `message` has rounded numbers beyond 2^53. */
  readonly bytes: Buffer;
}

/** Sends a request to a route of this process, and resolves to the response with any status. */
export async function sendToRoute(
  { url, host }: Pick<CallAddress, 'url' | 'host'>,
  { method, headers, body, signal }: RouteRequest,
): Promise<IncomingMessage> {
  const isSecure = url.startsWith('https:');
  const name = host.replace(/:\d+$/, '');
  const options = {
    method,
    headers: { ...headers, host },
    signal,
    agent: false,
    // The connection leads back to this process, so the certificate is its own. It is for the name that clients use.
    ...(isSecure && { rejectUnauthorized: false, ...(isIP(name) === 0 && { servername: name }) }),
  } as const;
  const sent = (isSecure ? requestHttps : requestHttp)(url, options);
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

/**
 * Reads the answer to a JSON-RPC request: from JSON, or from an event stream, whose other messages are dropped.
 *
 * @param url Where the request was sent.
 * @throws {AdminError} If there is none.
 */
export async function readRouteAnswer(response: IncomingMessage, id: number, url: string): Promise<RouteAnswer> {
  const { statusCode = 0, headers } = response;
  const isStream = /^text\/event-stream\b/i.test(headers['content-type'] ?? '');
  const isAnswer = (message: Message | undefined): message is Message =>
    message?.id === id && 'method' in message === false;
  if (isStream && statusCode === 200) return await findInStream(response, isAnswer);
  const bytes = await readBytes(response);
  const message = parseJsonObject(bytes.toString('utf8'));
  if (isAnswer(message) && ('result' in message || statusCode === 200)) return { message, bytes };
  throw refusalOf(statusCode, message, url);
}

async function findInStream(
  response: IncomingMessage,
  isAnswer: (message: Message | undefined) => message is Message,
): Promise<RouteAnswer> {
  let found: RouteAnswer | undefined;
  let isTooLong = false;
  const reader = new EventReader(MAX_ANSWER_BYTES, {
    message(bytes) {
      const message = parseJsonObject(bytes.toString('utf8'));
      if (found === undefined && isAnswer(message)) found = { message, bytes };
    },
    oversized() {
      isTooLong = true;
    },
  });
  for await (const chunk of response) {
    reader.push(chunk as Buffer);
    if (isTooLong) throw tooLong();
    if (found !== undefined) break;
  }
  if (found === undefined)
    throw new AdminError(502, 'no_answer', 'The event stream of the route ended without an answer');
  return found;
}

async function readBytes(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += (chunk as Buffer).length;
    if (size > MAX_ANSWER_BYTES) throw tooLong();
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function tooLong(): AdminError {
  return new AdminError(502, 'answer_too_long', `The answer of the route is longer than ${MAX_ANSWER_BYTES} bytes`);
}

/** Returns the error for an answer that is a refusal, with the words of the route. If nothing is there, it says where. */
function refusalOf(status: number, answer: Message | undefined, url: string): AdminError {
  const { error, error_description: description } = answer ?? {};
  const message = (error as { message?: unknown } | null | undefined)?.message;
  const words = [typeof error === 'string' ? error : undefined, description, message].filter(
    (word) => typeof word === 'string',
  );
  const where = status === 404 ? ` at the path ${new URL(url).pathname}` : '';
  const why = words.length === 0 ? '' : `: ${words.join(': ').slice(0, MAX_REFUSAL)}`;
  return new AdminError(502, 'refused_by_route', `The route answered ${status}${where}${why}`);
}

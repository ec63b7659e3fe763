import type { ServerResponse } from 'node:http';
import { isAnswered } from './answered.js';
import { closeAfterAnswer } from './close-after-answer.js';
import { NO_SNIFF } from './no-sniff.js';

/** A prepared answer that can be sent any number of times. */
export interface JsonReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
}

type Headers = Readonly<Record<string, string>>;

/** Prepares an answer. `body` is JSON text. Header names are in lower case, as in agentgateway's answers. */
export function prepareJson(status: number, body: string, headers: Headers = {}): JsonReply {
  const described = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return { status, headers: { ...headers, ...described, ...NO_SNIFF }, body };
}

/** Sends an answer. Sends nothing if an earlier middleware has answered and still called `next()`. */
export function sendJson(res: ServerResponse, { status, headers, body }: JsonReply): void {
  if (isAnswered(res)) return;
  res.writeHead(status, headers.connection === undefined ? headers : withoutConnection(res, headers));
  res.end(res.req.method === 'HEAD' ? undefined : body);
}

/**
 * Sends an answer without a body. In two statements, as everywhere: a function of the application that replaced `writeHead()` may return
 * nothing, as Restify's and that of on-headers 1.0 do.
 */
export function replyEmpty(res: ServerResponse, status: number, headers: JsonReply['headers'] = {}): void {
  res.writeHead(status, headers);
  res.end();
}

/** Ends the connection in the way of its protocol. */
function withoutConnection(
  res: ServerResponse,
  { connection: _close, ...others }: JsonReply['headers'],
): JsonReply['headers'] {
  closeAfterAnswer(res);
  return others;
}

/** Answers 405 with the allowed methods (RFC 9110, section 15.5.6). */
export function replyMethodNotAllowed(res: ServerResponse, methods: readonly string[]): void {
  replyJson(res, 405, '{"error":"method_not_allowed"}', { allow: methods.join(', ') });
}

/** Prepares and sends an answer for one request. `body` is JSON text. */
export function replyJson(res: ServerResponse, status: number, body: string, headers?: Headers): void {
  sendJson(res, prepareJson(status, body, headers));
}

import type { ServerResponse } from 'node:http';
import { isAnswered } from './answered.js';

/** An answer ready to be sent, as often as it is needed. */
export interface JsonReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
}

type Headers = Readonly<Record<string, string>>;

/** `body` is serialised already. Header names are lower-case, as agentgateway's answers have them. */
export function prepareJson(status: number, body: string, headers: Headers = {}): JsonReply {
  const described = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return { status, headers: { ...headers, ...described }, body };
}

/** Sends nothing where a middleware before us has answered, and passed the request on all the same. */
export function sendJson(res: ServerResponse, { status, headers, body }: JsonReply): void {
  if (isAnswered(res)) return;
  res.writeHead(status, headers);
  res.end(res.req.method === 'HEAD' ? undefined : body);
}

/** 405 with what is allowed (RFC 9110, section 15.5.6). */
export function replyMethodNotAllowed(res: ServerResponse, methods: readonly string[]): void {
  replyJson(res, 405, '{"error":"method_not_allowed"}', { allow: methods.join(', ') });
}

/** For an answer that is made for one request. */
export function replyJson(res: ServerResponse, status: number, body: string, headers?: Headers): void {
  sendJson(res, prepareJson(status, body, headers));
}

import type { IncomingMessage } from 'node:http';

/** A request whose body a parser may have put into `req.body`. */
type ParsedRequest = IncomingMessage & { readonly body?: unknown };

/**
 * True if a request carries a body, whatever its method: its headers announce one (RFC 9112, section 6), or a body parser put one
 * into `req.body`. An empty object does not count, since some parsers set it if there was no body.
 */
export function carriesBody(req: ParsedRequest): boolean {
  return announcesBody(req) || isContent(req.body);
}

/** True if the body can no longer be read from the request: a parser has read it, and may have put it into `req.body`. */
export function isBodyParsed(req: ParsedRequest): boolean {
  return req.readableEnded || (!announcesBody(req) && isContent(req.body));
}

function announcesBody(req: IncomingMessage): boolean {
  const { headers } = req;
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0) return true;
  // HTTP/2 needs neither header: the stream says if it ends with the headers.
  return (req as { stream?: { endAfterHeaders?: boolean } }).stream?.endAfterHeaders === false;
}

function isContent(body: unknown): boolean {
  if (body === undefined || body === null || body === '') return false;
  return typeof body !== 'object' || Object.keys(body).length > 0;
}

import type { ServerResponse } from 'node:http';
import { codingsIn } from '../http/codings.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { trimOws } from '../http/ows.js';

/**
 * The way in which an answer is read: as one JSON text, or as events. `page`: it is passed on unread, since no MCP client reads it. `fault`: the
 * reason why it cannot be read.
 */
export type AnswerType = 'json' | 'events' | 'page' | { readonly fault: string };

const EVENTS = 'text/event-stream';

/** One media type and its parameters (RFC 9110, section 8.3.1). */
const MEDIA_TYPE = /^([\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+)[ \t]*((?:;[^,]*)?)$/;
const CHARSET = /;[ \t]*charset[ \t]*=[ \t]*("[^"]*"|[^;" \t]*)/gi;
const READABLE_CHARSETS = ['utf-8', 'utf8', 'us-ascii'];

/**
 * Determines an answer's type from its headers. An answer without a type, or of any type but an event stream, is read as JSON,
 * since clients may do the same.
 *
 * @param mayBePage True if the request carried no MCP message. Its answer may be a page, a picture or an endless download.
 */
export function answerTypeOf(res: ServerResponse, mayBePage: boolean): AnswerType {
  // Answers with these statuses have no body.
  if (res.statusCode === 204 || res.statusCode === 304) return 'page';
  const type = trimOws(lowerAscii(String(res.getHeader('content-type') ?? '')));
  if (mayBePage && isPage(res, type)) return 'page';
  const encoding = encodingOf(res);
  if (encoding !== undefined) return { fault: `it is encoded (${encoding})` };
  if (type === '') return 'json';
  const [, essence, parameters = ''] = MEDIA_TYPE.exec(type) ?? [];
  if (essence === undefined) return { fault: 'its Content-Type is not one media type' };
  const charsets = [...parameters.matchAll(CHARSET)].map(([, charset = '']) => charset.replaceAll('"', ''));
  const other = charsets.find((charset) => !READABLE_CHARSETS.includes(charset));
  if (other !== undefined) return { fault: `its charset is ${other}` };
  return essence === EVENTS ? 'events' : 'json';
}

/** MCP clients accept event streams, and parse any answer to such a request as one. */
function isPage({ req }: ServerResponse, type: string): boolean {
  return type !== '' && !/json|event-stream/.test(type) && !String(req.headers.accept ?? '').includes(EVENTS);
}

function encodingOf(res: ServerResponse): string | undefined {
  const codings = ['content-encoding', 'transfer-encoding'].flatMap((name) =>
    codingsIn(String(res.getHeader(name) ?? '')),
  );
  return codings.find((coding) => coding !== 'chunked');
}

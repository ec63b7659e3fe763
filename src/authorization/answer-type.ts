import type { ServerResponse } from 'node:http';
import { lowerAscii } from '../http/lower-ascii.js';
import { trimOws } from '../http/ows.js';

/**
 * How an answer is read: as one JSON text, or as events. `page`: not at all, since no MCP client reads it. Else the reason why it
 * cannot be read.
 */
export type AnswerType = 'json' | 'events' | 'page' | { readonly fault: string };

const EVENTS = 'text/event-stream';

/** RFC 9110, section 8.3.1: one media type, and its parameters. */
const MEDIA_TYPE = /^([\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+)[ \t]*((?:;[^,]*)?)$/;
const CHARSET = /;[ \t]*charset[ \t]*=[ \t]*("[^"]*"|[^;" \t]*)/gi;
const READABLE_CHARSETS = ['utf-8', 'utf8', 'us-ascii'];

/**
 * The type of an answer, by its headers. An answer without a type, or of another one, is read as JSON, since clients may read
 * it as JSON too.
 *
 * @param mayBePage The request named no method: its answer may be a page, a picture, or anything else without end.
 */
export function answerTypeOf(res: ServerResponse, mayBePage: boolean): AnswerType {
  // These have no body.
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

/** Clients of MCP ask for events, and take whatever comes for events. */
function isPage({ req }: ServerResponse, type: string): boolean {
  return type !== '' && !/json|event-stream/.test(type) && !String(req.headers.accept ?? '').includes(EVENTS);
}

function encodingOf(res: ServerResponse): string | undefined {
  const codings = ['content-encoding', 'transfer-encoding'].flatMap((name) =>
    lowerAscii(String(res.getHeader(name) ?? '')).split(/[ \t]*,[ \t]*/),
  );
  return codings.find((coding) => !['', 'identity', 'chunked'].includes(coding));
}

import { BACKSLASH, CLOSE, CLOSE_LIST, COLON, COMMA, OPEN, OPEN_LIST, QUOTE } from './json-bytes.js';

/** Levels of nesting. MCP messages need fewer, and recursion this deep is far from a stack overflow. */
export const MAX_LEVELS = 64;

/** Messages of a batch. More tiny messages in one body could block the process. */
export const MAX_MESSAGES = 1_000;

/** Thrown for JSON that is nested too deeply or is too long a batch to be parsed. Each `reason` is a key of `MESSAGE_ERRORS`. */
export class JsonBoundError extends SyntaxError {
  override readonly name = 'JsonBoundError';
  readonly reason: 'too_deep' | 'too_many_messages';

  constructor(reason: 'too_deep' | 'too_many_messages') {
    super(reason === 'too_deep' ? `More than ${MAX_LEVELS} levels` : `More than ${MAX_MESSAGES} messages`);
    this.reason = reason;
  }
}

/**
 * Scans a JSON text before it is parsed, and refuses one that is nested too deeply or has too many messages. It does not check that
 * the text is JSON; if it is not, the count means nothing.
 *
 * @returns The number of members in all its objects. A duplicate member counts twice.
 * @throws {JsonBoundError}
 */
export function countMembers(text: string): number {
  let levels = 0;
  let members = 0;
  let items = /^[ \t\r\n]*\[/.test(text) ? 1 : Number.NEGATIVE_INFINITY;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = closingQuoteOf(text, at);
    // In valid JSON, a colon outside of strings always follows a member's name.
    else if (code === COLON) members += 1;
    else if (code === OPEN || code === OPEN_LIST) levels += 1;
    else if (code === CLOSE || code === CLOSE_LIST) levels -= 1;
    else if (code === COMMA && levels === 1) items += 1;
    if (levels > MAX_LEVELS) throw new JsonBoundError('too_deep');
    if (items > MAX_MESSAGES) throw new JsonBoundError('too_many_messages');
  }
  return members;
}

/** The index of the quote that closes the string opened at `open`: the first one after an even number of backslashes. */
function closingQuoteOf(text: string, open: number): number {
  for (let close = text.indexOf('"', open + 1); close !== -1; close = text.indexOf('"', close + 1)) {
    let first = close;
    while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    if ((close - first) % 2 === 0) return close;
  }
  return text.length;
}

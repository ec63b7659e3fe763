import { lowerAscii } from './lower-ascii.js';

/** Headers that may appear only once. Not `DPoP`: RFC 9449 defines its own error for two. Node refuses a second `Content-Length`. */
const SINGLE_HEADERS = [
  'host',
  'origin',
  'authorization',
  'content-type',
  'mcp-session-id',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'last-event-id',
];

/** The prefix of the headers of MCP 2026-07-28 that repeat a tool's parameters. */
const PARAMETER = 'mcp-param-';

const LETTERS = 32;
const FIRST_LETTER = PARAMETER.charCodeAt(0) % LETTERS;

/** A cheap key: a name's length and first letter. It differs among the names above, and from that of most other names. */
function shapeOf(name: string): number {
  return name.length * LETTERS + (name.charCodeAt(0) % LETTERS);
}

interface SingleHeader {
  readonly name: string;
  readonly bit: number;
}

/** Characters. */
const MAX_SINGLE_LENGTH = Math.max(...SINGLE_HEADERS.map(({ length }) => length));
/** By shape. An array, because a `Map` takes twice as long to look up what it does not have. */
const SINGLE_BY_SHAPE = new Array<SingleHeader | undefined>((MAX_SINGLE_LENGTH + 1) * LETTERS).fill(undefined);
for (const [index, name] of SINGLE_HEADERS.entries()) SINGLE_BY_SHAPE[shapeOf(name)] = { name, bit: 1 << index };

function isParameter(name: string): boolean {
  return name.charCodeAt(0) % LETTERS === FIRST_LETTER && lowerAscii(name.slice(0, PARAMETER.length)) === PARAMETER;
}

/**
 * Returns the first repeated header that may appear only once, in lower case. Node silently keeps the first of two, or joins both;
 * a proxy may have used the other one.
 *
 * @param raw Names and values alternately, as in `req.rawHeaders`.
 */
export function repeatedHeader(raw: readonly string[]): string | undefined {
  let seen = 0;
  let parameters: Set<string> | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const single = name.length <= MAX_SINGLE_LENGTH ? SINGLE_BY_SHAPE[shapeOf(name)] : undefined;
    if (single !== undefined && lowerAscii(name) === single.name) {
      if ((seen & single.bit) !== 0) return single.name;
      seen |= single.bit;
    } else if (isParameter(name)) {
      const parameter = lowerAscii(name);
      parameters ??= new Set();
      if (parameters.has(parameter)) return parameter;
      parameters.add(parameter);
    }
  }
  return undefined;
}

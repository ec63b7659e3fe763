import type { ServerResponse } from 'node:http';
import { type HeaderValue, isHeaderNamed, mapHeader, withoutHeader } from './head-headers.js';
import { lowerAscii } from './lower-ascii.js';

/**
 * Takes the value of a header of an answer, and returns the value that the client gets. It is called with `undefined` if the answer has no
 * such header, and once for each value if it has several.
 */
export type HeaderVisitor = (value: string | undefined, status: number) => string | undefined;

type WriteHead = (...args: unknown[]) => ServerResponse;

/**
 * Calls `visit` with the header `name` of an answer when its head is written. Only `writeHead()` is wrapped, because `write()`, `end()` and
 * all others call it. The application's `getHeader()` still returns the value that the application has set.
 *
 * A wrapper of another middleware that was installed before this one (for example with `on-headers`) sees the client's value while the head
 * is written. If it sets another value, the client gets that one.
 *
 * @param name In lower case.
 */
export function visitHeader(res: ServerResponse, name: string, visit: HeaderVisitor): void {
  const writeHead = res.writeHead as WriteHead;
  let isWritten = false;

  const visitingWriteHead: WriteHead = (...args) => {
    if (isWritten) return writeHead.apply(res, args);
    const own = res.getHeader(name);
    const changed = withVisitedHeader(res, args, { name, own, visit });
    try {
      writeHead.apply(res, changed.args);
    } catch (error) {
      if (res.getHeader(name) !== own) restore(res, name, own);
      throw error;
    }
    isWritten = true;
    if (changed.own !== undefined) keepReading(res, name, changed.own);
    return res;
  };
  res.writeHead = visitingWriteHead as ServerResponse['writeHead'];
  (res as WithAlias).writeHeader = writeHeader;
}

/** Node's deprecated alias of `writeHead()`, which calls Node's own. */
type WithAlias = ServerResponse & { writeHeader: WriteHead };

const writeHeader: WriteHead = function (this: ServerResponse, ...args) {
  return (this.writeHead as WriteHead)(...args);
};

/** Methods that send headers in other parts of an answer than its head: interim responses and trailers. Not every version of Node has all. */
const OTHER_PARTS = ['writeEarlyHints', 'writeInformation', 'addTrailers'] as const;

/**
 * Drops a header from interim responses (103) and trailers. Clients do not read session ids there.
 *
 * @param name In lower case.
 */
export function dropFromOtherParts(res: ServerResponse, name: string): void {
  const methods = res as unknown as Record<string, ((...args: unknown[]) => unknown) | undefined>;
  for (const method of OTHER_PARTS) {
    const send = methods[method];
    if (send !== undefined)
      methods[method] = (...args) =>
        send.apply(
          res,
          args.map((arg) => withoutHeader(arg, name)),
        );
  }
  const { setTrailer } = methods;
  // HTTP/2 only.
  if (setTrailer !== undefined) {
    methods.setTrailer = (given, value) =>
      isHeaderNamed(given, name) ? undefined : setTrailer.call(res, given, value);
  }
}

interface Visit {
  readonly name: string;
  readonly own: HeaderValue | undefined;
  readonly visit: HeaderVisitor;
}

/** Returns the arguments for `writeHead()`, and the application's own value if the client gets another one. */
function withVisitedHeader(
  res: ServerResponse,
  args: unknown[],
  { name, own, visit }: Visit,
): { readonly args: unknown[]; readonly own: HeaderValue | undefined } {
  const status = Number(args[0]);
  // The most usual answer: it has no such header.
  if (own === undefined && args.length === 1) {
    visit(undefined, status);
    return { args, own };
  }
  const map = (value: HeaderValue) => mapValue(value, (each) => visit(each, status) ?? each);
  // writeHead(status[, message][, headers]): like Node, ignore a message that is not a string.
  const at = typeof args[1] === 'string' || (args[2] !== undefined && args[2] !== null) ? 2 : 1;
  let given: HeaderValue | undefined;
  const headers = mapHeader(args[at], name, (value) => {
    given = value;
    return map(value);
  });
  if (given !== undefined) return { args: args.with(at, headers), own: given };
  if (own === undefined) visit(undefined, status);
  const changed = own === undefined ? undefined : map(own);
  if (changed === undefined || String(changed) === String(own)) return { args, own: undefined };
  res.setHeader(name, changed);
  return { args, own };
}

function mapValue(value: HeaderValue, map: (value: string) => string): string | string[] {
  return Array.isArray(value) ? value.map((each) => map(String(each))) : map(String(value));
}

function restore(res: ServerResponse, name: string, own: HeaderValue | undefined): void {
  if (own === undefined) res.removeHeader(name);
  else res.setHeader(name, own);
}

function keepReading(res: ServerResponse, name: string, own: HeaderValue): void {
  const seen = res.getHeader(name);
  if (seen === undefined || seen === own) return;
  const { getHeader } = res;
  res.getHeader = (given: string) =>
    typeof given === 'string' && lowerAscii(given) === name
      ? (own as ReturnType<typeof getHeader>)
      : getHeader.call(res, given);
}

import type { ServerResponse } from 'node:http';
import { lowerAscii } from './lower-ascii.js';

/**
 * Sees a value that an answer has for a header, and returns what the client gets in its place. Called with `undefined` where the answer
 * has no such header, and once for each value where it has several.
 */
export type HeaderVisitor = (value: string | undefined, status: number) => string | undefined;

type WriteHead = (...args: unknown[]) => ServerResponse;

/**
 * Shows `visit` the header `name` of an answer when its head is written. `setHeader()`, `write()`, `end()` and all the others end in
 * `writeHead()`, so that it alone is wrapped. The application's own `getHeader()` goes on giving the value that it has set.
 *
 * Another middleware's wrapper that is beneath this one (`on-headers`, registered before) sees the value for the client while the head is
 * written. One that puts a copy of its own in the place of that is not noticed.
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
    const seen = res.getHeader(name);
    if (changed.own !== undefined && seen !== undefined && seen !== changed.own) keepReading(res, name, changed.own);
    return res;
  };
  res.writeHead = visitingWriteHead as ServerResponse['writeHead'];
}

type Value = number | string | readonly string[];

interface Visit {
  readonly name: string;
  readonly own: Value | undefined;
  readonly visit: HeaderVisitor;
}

/** The arguments for `writeHead()`, and what the application has set where the client gets another value. */
function withVisitedHeader(
  res: ServerResponse,
  args: readonly unknown[],
  { name, own, visit }: Visit,
): { readonly args: unknown[]; readonly own: Value | undefined } {
  const status = Number(args[0]);
  const map = (value: Value) => mapValue(value, (each) => visit(each, status) ?? each);
  // writeHead(status[, message][, headers]): as Node does it, a message that is no text is no message.
  const at = typeof args[1] === 'string' || (args[2] !== undefined && args[2] !== null) ? 2 : 1;
  let given: Value | undefined;
  const headers = mapHeader(args[at], name, (value) => {
    given = value;
    return map(value);
  });
  if (given !== undefined) return { args: args.with(at, headers), own: given };
  if (own === undefined) visit(undefined, status);
  const changed = own === undefined ? undefined : map(own);
  if (changed === undefined || String(changed) === String(own)) return { args: [...args], own: undefined };
  res.setHeader(name, changed);
  return { args: [...args], own };
}

function mapValue(value: Value, map: (value: string) => string): string | string[] {
  return Array.isArray(value) ? value.map((each) => map(String(each))) : map(String(value));
}

/** All forms in which `writeHead()` takes headers: an object, names and values in turn, and pairs of them. */
function mapHeader(headers: unknown, name: string, map: (value: Value) => Value): unknown {
  if (typeof headers !== 'object' || headers === null) return headers;
  if (!Array.isArray(headers)) return mapMember(headers as Readonly<Record<string, Value>>, name, map);
  if (Array.isArray(headers[0])) return headers.map(([key, value]) => [key, isNamed(key, name) ? map(value) : value]);
  return headers.map((item, i) => (i % 2 === 1 && isNamed(headers[i - 1], name) ? map(item) : item));
}

function mapMember(headers: Readonly<Record<string, Value>>, name: string, map: (value: Value) => Value) {
  let mapped: Record<string, Value> | undefined;
  for (const key of Object.keys(headers)) {
    if (!isNamed(key, name)) continue;
    mapped ??= { ...headers };
    mapped[key] = map(mapped[key] as Value);
  }
  return mapped ?? headers;
}

function isNamed(given: unknown, name: string): boolean {
  return typeof given === 'string' && given.length === name.length && lowerAscii(given) === name;
}

function restore(res: ServerResponse, name: string, own: Value | undefined): void {
  if (own === undefined) res.removeHeader(name);
  else res.setHeader(name, own);
}

function keepReading(res: ServerResponse, name: string, own: Value): void {
  const { getHeader } = res;
  res.getHeader = (given: string) =>
    typeof given === 'string' && lowerAscii(given) === name
      ? (own as ReturnType<typeof getHeader>)
      : getHeader.call(res, given);
}

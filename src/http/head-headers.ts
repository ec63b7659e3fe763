import { lowerAscii } from './lower-ascii.js';

// The headers that an application gives to `writeHead()` and the methods like it: an object, a list of names and values in turn, or a list
// of pairs. Anything else has no headers, and is returned unchanged. Each `name` is in lower case.

/** A value of a header, as an application gives it. */
export type HeaderValue = number | string | readonly string[];

/** Returns the value of a header; undefined if it is not there. */
export function headerIn(headers: unknown, name: string): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined;
  if (!Array.isArray(headers)) {
    const own = headers as Readonly<Record<string, unknown>>;
    for (const key in own) if (isHeaderNamed(key, name)) return own[key];
    return undefined;
  }
  if (Array.isArray(headers[0])) return headers.find(([key]) => isHeaderNamed(key, name))?.[1];
  const at = headers.findIndex((key, i) => i % 2 === 0 && isHeaderNamed(key, name));
  return at < 0 ? undefined : headers[at + 1];
}

/** Returns the headers with another value of one header. */
export function mapHeader(headers: unknown, name: string, map: (value: HeaderValue) => HeaderValue): unknown {
  if (typeof headers !== 'object' || headers === null) return headers;
  if (!Array.isArray(headers)) return mapMember(headers as Readonly<Record<string, HeaderValue>>, name, map);
  if (Array.isArray(headers[0]))
    return headers.map(([key, value]) => [key, isHeaderNamed(key, name) ? map(value) : value]);
  return headers.map((item, i) => (i % 2 === 1 && isHeaderNamed(headers[i - 1], name) ? map(item) : item));
}

function mapMember(
  headers: Readonly<Record<string, HeaderValue>>,
  name: string,
  map: (value: HeaderValue) => HeaderValue,
) {
  let mapped: Record<string, HeaderValue> | undefined;
  for (const key of Object.keys(headers)) {
    if (!isHeaderNamed(key, name)) continue;
    mapped ??= { ...headers };
    mapped[key] = map(mapped[key] as HeaderValue);
  }
  return mapped ?? headers;
}

/** Returns the headers without one header. */
export function withoutHeader(headers: unknown, name: string): unknown {
  if (typeof headers !== 'object' || headers === null) return headers;
  if (Array.isArray(headers)) {
    const isPairs = Array.isArray(headers[0]);
    return headers.filter((item, i) => !isHeaderNamed(isPairs ? item[0] : headers[i - (i % 2)], name));
  }
  return Object.fromEntries(Object.entries(headers).filter(([key]) => !isHeaderNamed(key, name)));
}

/** Compares the lengths first: most messages do not have the header, and each name in lower case would be a new string. */
export function isHeaderNamed(given: unknown, name: string): boolean {
  return typeof given === 'string' && given.length === name.length && lowerAscii(given) === name;
}

const DEFAULT_SECONDS = 600;
const MIN_SECONDS = 60;
/** A withdrawn key must not stay in use for longer. */
const MAX_SECONDS = 3_600;

/**
 * Returns the seconds for which an answer may be cached (RFC 9111, sections 4.2.1 and 5.2.2): `max-age` minus `Age`, else
 * `Expires`, else 10 minutes. At least a minute, so that a server cannot cause a fetch for every request.
 */
export function cacheLifetimeSeconds(headers: Headers, maxSeconds = MAX_SECONDS): number {
  const stated = statedSeconds(headers);
  return stated === undefined ? DEFAULT_SECONDS : Math.min(maxSeconds, Math.max(MIN_SECONDS, stated));
}

function statedSeconds(headers: Headers): number | undefined {
  const cacheControl = headers.get('cache-control') ?? '';
  if (/(?:^|[ \t,])no-(?:store|cache)(?:$|[ \t,=])/i.test(cacheControl)) return 0;
  const maxAge = /(?:^|[ \t,])max-age="?(\d{1,10})/i.exec(cacheControl)?.[1];
  const age = Number(headers.get('age')) || 0;
  if (maxAge !== undefined) return Number(maxAge) - age;
  const [expires, date] = ['expires', 'date'].map((name) => Date.parse(headers.get(name) ?? '')) as [number, number];
  if (Number.isNaN(expires)) return undefined;
  // By the server's own clock, if it sends `Date`: our clock may differ.
  return Number.isNaN(date) ? (expires - Date.now()) / 1000 : (expires - date) / 1000 - age;
}

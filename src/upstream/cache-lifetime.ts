const DEFAULT_SECONDS = 600;
const LEAST_SECONDS = 60;
const MOST_SECONDS = 3_600;

/**
 * For how long an answer may be kept, in seconds (RFC 9111, sections 4.2.1 and 5.2.2): `max-age` less `Age`, else
 * `Expires`, else 10 minutes; never less than a minute, so that no server makes us fetch for every request, and never
 * more than an hour, so that no server keeps a withdrawn key alive.
 */
export function cacheLifetimeSeconds(headers: Headers): number {
  const stated = statedSeconds(headers);
  return stated === undefined ? DEFAULT_SECONDS : Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, stated));
}

function statedSeconds(headers: Headers): number | undefined {
  const cacheControl = headers.get('cache-control') ?? '';
  if (/(?:^|[ \t,])no-(?:store|cache)(?:$|[ \t,=])/i.test(cacheControl)) return 0;
  const maxAge = /(?:^|[ \t,])max-age="?(\d{1,10})/i.exec(cacheControl)?.[1];
  if (maxAge !== undefined) return Number(maxAge) - (Number(headers.get('age')) || 0);
  const expires = Date.parse(headers.get('expires') ?? '');
  return Number.isNaN(expires) ? undefined : (expires - Date.now()) / 1000;
}

import { isIPv4 } from 'node:net';

/**
 * Names the groups whose hosts may belong to one publisher: those of the same last two and last three labels. Anyone can have any number of
 * hosts below a domain, and of addresses. Three labels as well, because domains below `co.uk` or `github.io` have different publishers.
 *
 * @param hostname As `URL` writes it.
 */
export function publisherGroups(hostname: string): readonly string[] {
  if (hostname.startsWith('[') || isIPv4(hostname)) return ['addresses'];
  const labels = hostname.split('.');
  const ends = [2, 3].map((count) => `*.${labels.slice(-count).join('.')}`);
  return [...new Set(ends)];
}

/**
 * Labels of letters, digits, hyphens and underscores, or an IPv6 address in brackets. `URL` lets more into a host, and DNS may answer for it:
 * the consent page would show `claude.ai,example.com`.
 */
const HOST = /^(?:[a-z\d_-]+(?:\.[a-z\d_-]+)*|\[[\da-f:]+\])$/;

/** True if users cannot take this host, as `URL` writes it, for another one or for several. */
export function isPlainHost(hostname: string): boolean {
  return HOST.test(hostname);
}

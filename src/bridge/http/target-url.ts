import { canParseUrl } from '../../http/can-parse-url.js';
import { isLoopbackHost } from '../../http/loopback.js';
import { isUrlObject, type OptionChecks } from '../../options/checks.js';
import { requireServerUrl } from '../../policy/server-url.js';

/** A host, with a port or not, and a path: a URL without its scheme. */
const WITHOUT_SCHEME = /^(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:\/[^?#@]*)?$/i;

/** Requires the URL of a target: https, or http on loopback unless `allowHttp` is true. */
export function requireTargetUrl(checks: OptionChecks, value: unknown, option: string, allowHttp: boolean): URL {
  // Not quoted, because its query may contain a key.
  if (isUrlObject(value)) checks.refuseUnquoted(option, 'a string, not a URL object', 'Write its href: url.href.');
  const written = typeof value === 'string' ? withScheme(value) : undefined;
  if (written !== undefined) checks.refuse(option, 'a URL with its scheme', value, `Write "${written}".`);
  const url = requireServerUrl(checks, value, option, allowHttp);
  if (url.hash !== '') checks.refuseUnquoted(option, 'a URL without a fragment', 'Remove what follows the "#".');
  return url;
}

/** Returns the URL that a string without a scheme probably means; undefined if it is something else. */
function withScheme(text: string): string | undefined {
  if (!WITHOUT_SCHEME.test(text) || !canParseUrl(`https://${text}`)) return undefined;
  const { hostname } = new URL(`https://${text}`);
  return `${isLoopbackHost(hostname) ? 'http' : 'https'}://${text}`;
}

import { canParseUrl } from '../http/can-parse-url.js';
import { isLoopbackHost } from '../http/loopback.js';
import type { OptionChecks } from '../options/checks.js';

/** Requires https, except on loopback: an attacker who can change the response can sign any token, and read any secret. */
export function requireServerUrl(checks: OptionChecks, value: unknown, option: string, allowHttp: boolean): URL {
  const fix = 'Use https; plain http is accepted from localhost only, unless dangerouslyAllowHttp is true.';
  const text = checks.string(value, option, fix);
  const url = canParseUrl(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.username !== '' || url.password !== '')) {
    // Not quoted, because it contains a password.
    return checks.refuseUnquoted(option, 'a URL without user and password', fix);
  }
  const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && (allowHttp || isLoopbackHost(url.hostname)));
  if (url !== undefined && safe) return url;
  // The message does not quote a query, which may contain a key, or what may be a password before an "@".
  return /[?@]/.test(text)
    ? checks.refuseUnquoted(option, 'an https URL', fix)
    : checks.refuse(option, 'an https URL', value, fix);
}

import { withoutClosingSlash } from '../http/well-known.js';
import { type Finding, reporterFor } from './finding.js';
import { INITIALIZE, type Probe } from './probe.js';
import { stringsOf } from './resource-documents.js';

/** What the challenge asks for, the metadata advertises and the authorization server knows, side by side. */
export function judgeScopes(
  challenged: string | undefined,
  resource: Readonly<Record<string, unknown>>,
  server: Readonly<Record<string, unknown>> | undefined,
): Finding {
  const report = reporterFor('scopes');
  const needed = challenged?.split(' ').filter((scope) => scope !== '') ?? [];
  const advertised = stringsOf(resource.scopes_supported);
  if (needed.length === 0 && advertised.length === 0) {
    return report.warning(
      'none in the challenge, none advertised',
      'Clients ask for none, and some servers then give out tokens that may do nothing.',
      'Set resourceMetadata.scopesSupported, and requiredScopes for those that every call needs.',
    );
  }
  const known = server?.scopes_supported === undefined ? undefined : stringsOf(server.scopes_supported);
  const unknown = [...new Set([...needed, ...advertised])].filter((scope) => known?.includes(scope) === false);
  if (unknown.length > 0) {
    return report.warning(
      `the authorization server does not list ${unknown.join(', ')}`,
      'Clients ask for them, and may be answered invalid_scope.',
      'Register the scopes at the authorization server, or correct their names here.',
    );
  }
  return report.ok([...new Set([...needed, ...advertised])].join(' '));
}

/** The same address with one closing slash more, or less, must not be a second door. */
export async function judgeClosingSlash(probe: Probe, url: string): Promise<Finding> {
  const report = reporterFor('closing slash');
  const other = new URL(url);
  if (other.pathname === '/') return report.ok('the address has no path');
  other.pathname = other.pathname.endsWith('/') ? withoutClosingSlash(other.pathname) : `${other.pathname}/`;
  const { status, headers } = await probe(other.href, INITIALIZE);
  if (status >= 200 && status < 300) {
    return report.fault(
      `${other.href} is answered ${status} without a token`,
      'Strangers get in there.',
      'Mount mcpAuth() with app.use() above every route, not on one path.',
    );
  }
  if (status >= 300 && status < 400) {
    return report.warning(
      `${other.href} redirects to ${headers.get('location')}`,
      'Clients drop their token, or the body, on the way.',
      'Answer 404 there, and give out one address.',
    );
  }
  return report.ok(`${other.href} is answered ${status}`);
}

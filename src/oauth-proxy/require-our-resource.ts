import { canParseUrl } from '../http/can-parse-url.js';
import type { Parameters } from '../http/form.js';
import { withoutClosingSlash } from '../http/well-known.js';
import { OAuthError } from './oauth-error.js';

/** The parameters that a client may repeat (RFC 8707, section 2). */
export const REPEATABLE: readonly string[] = ['resource'];

/**
 * Checks the parameter `resource`. A client may leave it out: the upstream server gets our resource in any case.
 *
 * @throws {OAuthError} If one of its values is another resource.
 */
export function requireOurResource(parameters: Parameters, ourResource: string): void {
  if (!parameters.getAll('resource').every((resource) => isSameResource(resource, ourResource))) {
    throw new OAuthError('invalid_target', 'resource must be the resource of this server');
  }
}

/**
 * Compares normalised URLs: clients write the host in lower case, omit a default port, and end `https://host` with a slash. A query that
 * a user has added does not count, as at the MCP endpoint: our resource has none, and tokens are for our resource in any case.
 */
function isSameResource(given: string, ours: string): boolean {
  if (!canParseUrl(given)) return false;
  const url = new URL(given);
  url.search = '';
  return withoutClosingSlash(url.href) === withoutClosingSlash(new URL(ours).href);
}

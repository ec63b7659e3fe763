/**
 * The errors of token endpoints that may be gone later: those of RFC 6749 (section 4.1.2.1), which some servers send from there too, of RFC 8628, and of
 * servers with names of their own, such as Slack.
 */
const PASSING: ReadonlySet<unknown> = new Set([
  'temporarily_unavailable',
  'server_error',
  'slow_down',
  'accesslimited',
  'fatal_error',
  'internal_error',
  'internal_failure',
  'internal_server_error',
  'rate_limit_exceeded',
  'rate_limited',
  'ratelimited',
  'request_timeout',
  'service_unavailable',
  'team_added_to_org',
  'timeout',
  'too_many_requests',
]);

/** True if an error says that the server cannot answer now, and nothing about the request. */
export function isPassingError(error: unknown): boolean {
  return PASSING.has(error);
}

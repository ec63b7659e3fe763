import { REFUSALS, type RefusalCode } from '../errors.js';

/** What a challenge says beside the refusal itself. */
export interface ChallengeContext {
  /** Where the protected resource metadata is (RFC 9728, section 5.1); undefined where the request's host is unusable. */
  readonly metadataUrl: string | undefined;
  /** Every scope that the request needs; none: no `scope` parameter. */
  readonly scopes: readonly string[];
}

/** A refusal ready to be sent. */
export interface Challenge {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The only place that writes `WWW-Authenticate`: RFC 6750, section 3, with `resource_metadata` of RFC 9728.
 * A request without a token gets no `error` parameter, as RFC 6750, section 3.1, asks.
 */
export function challengeFor(code: RefusalCode, context: ChallengeContext): Challenge {
  const { status, error, description } = REFUSALS[code];
  const parameters: [string, string][] = [];
  if (error !== 'unauthorized') parameters.push(['error', error], ['error_description', description]);
  if (context.metadataUrl !== undefined) parameters.push(['resource_metadata', context.metadataUrl]);
  if (context.scopes.length > 0) parameters.push(['scope', context.scopes.join(' ')]);
  const challenge = parameters.map(([name, value]) => `${name}="${quotedValue(value)}"`).join(', ');
  return {
    status,
    headers: { 'www-authenticate': `Bearer ${challenge}`, 'cache-control': 'no-store' },
    body: JSON.stringify({ error, error_description: description }),
  };
}

/** RFC 9110, section 5.6.4: what stands between the quotes of a quoted-string; anything but printable ASCII is dropped. */
function quotedValue(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&');
}

import { REFUSALS, type RefusalCode } from '../core/errors.js';
import { type JsonReply, prepareJson } from '../http/reply.js';
import type { Scheme } from './credentials.js';

/** The policy for tokens bound to a key (RFC 9449). */
export type DpopMode = 'off' | 'accept' | 'require';

/** The contents of a challenge besides the refusal itself. */
export interface ChallengeContext {
  /** The URL of the protected resource metadata (RFC 9728, section 5.1); undefined if the request's host is unusable. */
  readonly metadataUrl: string | undefined;
  /** Every scope that the request needs. If empty, the challenge has no `scope` parameter. */
  readonly scopes: readonly string[];
  readonly dpop: DpopMode;
  /** The scheme of the refused token: the challenge of that scheme has the error. */
  readonly scheme: Scheme;
  /** Replaces the refusal's own description, if more is known about the request. */
  readonly description?: string | undefined;
}

/** The algorithms of a DPoP proof (RFC 9449, section 7.1, `algs`). */
export const DPOP_ALGORITHMS = Object.freeze(['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'EdDSA']);

type Parameter = readonly [name: string, value: string];

/**
 * Builds the response to a refused request. The only place that writes `WWW-Authenticate`: RFC 6750, section 3, with
 * `resource_metadata` of RFC 9728, and RFC 9449, section 7.1. A request without a token gets no `error` parameter (RFC 6750,
 * section 3.1).
 */
export function challengeFor(code: RefusalCode, context: ChallengeContext): JsonReply {
  const { status, error } = REFUSALS[code];
  const description = context.description ?? REFUSALS[code].description;
  const headers = { 'www-authenticate': writeChallenges(error, description, context), 'cache-control': 'no-store' };
  return prepareJson(status, JSON.stringify({ error, error_description: description }), headers);
}

function writeChallenges(error: string, description: string, context: ChallengeContext): string {
  const { metadataUrl, scopes, dpop, scheme } = context;
  const failure: Parameter[] =
    error === 'unauthorized' ? [] : Object.entries({ error, error_description: description });
  const guidance: Parameter[] = [];
  if (metadataUrl !== undefined) guidance.push(['resource_metadata', metadataUrl]);
  if (scopes.length > 0) guidance.push(['scope', scopes.join(' ')]);
  const algs: Parameter = ['algs', DPOP_ALGORITHMS.join(' ')];
  if (dpop === 'require') return writeChallenge('DPoP', [...failure, ...guidance, algs]);
  const asBearer = scheme === 'bearer' || dpop === 'off';
  // Bearer first: MCP clients read only the first challenge.
  const bearer = writeChallenge('Bearer', asBearer ? [...failure, ...guidance] : guidance);
  return dpop === 'off' ? bearer : `${bearer}, ${writeChallenge('DPoP', asBearer ? [algs] : [...failure, algs])}`;
}

function writeChallenge(scheme: string, parameters: readonly Parameter[]): string {
  const written = parameters.map(([name, value]) => `${name}="${quotedValue(value)}"`).join(', ');
  return written === '' ? scheme : `${scheme} ${written}`;
}

/** Escapes the content of a quoted-string (RFC 9110, section 5.6.4), and drops everything but printable ASCII. */
function quotedValue(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&');
}

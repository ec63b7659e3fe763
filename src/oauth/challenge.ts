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
  /** Replaces the refusal's own description: a text of the policy, never of the request. */
  readonly description?: string | undefined;
  /** A description for the body alone. It may name what the request is for. */
  readonly bodyDescription?: string | undefined;
}

/** The algorithms of a DPoP proof (RFC 9449, section 7.1, `algs`). */
export const DPOP_ALGORITHMS = Object.freeze(['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'EdDSA']);

type Parameter = readonly [name: string, value: string];

/** Text that a client searching the header would take for a parameter. A scope has it if a rule writes a name from the request into the scope. */
const PARAMETER = /(?:resource_metadata|scope|error|error_description)=/i;

/**
 * Builds the response to a refused request. The only place that writes `WWW-Authenticate`: RFC 6750, section 3, with
 * `resource_metadata` of RFC 9728, and RFC 9449, section 7.1. A request without a token gets no `error` parameter (RFC 6750,
 * section 3.1).
 *
 * The official MCP SDKs search the header for `resource_metadata=` and `scope=` without regard to quotes, and take the first match. So no text
 * of a request is in the header: it could name another authorization server, or more scopes.
 */
export function challengeFor(code: RefusalCode, context: ChallengeContext): JsonReply {
  const { status, error } = REFUSALS[code];
  const description = context.description ?? REFUSALS[code].description;
  const headers = { 'www-authenticate': writeChallenges(error, description, context), 'cache-control': 'no-store' };
  const body = { error, error_description: context.bodyDescription ?? description };
  return prepareJson(status, JSON.stringify(body), headers);
}

function writeChallenges(error: string, description: string, context: ChallengeContext): string {
  const { dpop, scheme } = context;
  const isNamed = error !== 'unauthorized';
  const failure: Parameter[] = isNamed ? [['error', error]] : [];
  const explanation: Parameter[] = isNamed ? [['error_description', descriptionText(description)]] : [];
  const guidance = guidanceOf(context);
  const algs: Parameter = ['algs', DPOP_ALGORITHMS.join(' ')];
  // The description is last: a search finds the parameters of clients first.
  const all = [...failure, ...guidance, ...explanation];
  if (dpop === 'require') return writeChallenge('DPoP', [...all, algs]);
  const asBearer = scheme === 'bearer' || dpop === 'off';
  // Bearer first: MCP clients read only the first challenge.
  const bearer = writeChallenge('Bearer', asBearer ? all : guidance);
  if (dpop === 'off') return bearer;
  return `${bearer}, ${writeChallenge('DPoP', asBearer ? [algs] : [...failure, ...explanation, algs])}`;
}

/** Returns the parameters that a client needs to log in. The URL is first: only a scope can contain a `=` that came from the request. */
function guidanceOf({ metadataUrl, scopes }: ChallengeContext): Parameter[] {
  const guidance: Parameter[] = metadataUrl === undefined ? [] : [['resource_metadata', metadataUrl]];
  const named = scopes.filter((scope) => !PARAMETER.test(scope));
  return named.length === 0 ? guidance : [...guidance, ['scope', named.join(' ')]];
}

/** Writes a description in the characters that it may have (RFC 6750, section 3): no quotes and backslashes. */
function descriptionText(text: string): string {
  return text.replaceAll('"', "'").replaceAll('\\', '');
}

function writeChallenge(scheme: string, parameters: readonly Parameter[]): string {
  const written = parameters.map(([name, value]) => `${name}="${quotedValue(value)}"`).join(', ');
  return written === '' ? scheme : `${scheme} ${written}`;
}

/** Escapes the content of a quoted-string (RFC 9110, section 5.6.4), and drops everything but printable ASCII. */
function quotedValue(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&');
}

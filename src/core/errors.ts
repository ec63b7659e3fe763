import { printableJson } from './printable.js';

/** The parts of a refusal at construction: who refuses, which option, what was expected, what was given, what to do. */
export interface Complaint {
  /** The function the developer called, for example `mcpAuth()`. */
  readonly who: string;
  /** The option's path, for example `resourceMetadata.resource`. */
  readonly option: string;
  /** The expected value, as the end of a sentence with "must be …". */
  readonly expected: string;
  /** The value that was given; quoted with `JSON.stringify`. Leave it out where it may be a secret. */
  readonly given?: unknown;
  /** The advice: one sentence. */
  readonly fix: string;
}

/** Thrown at construction: the developer's mistake. `message` says what to change. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** The same for every `ConfigError`. */
  readonly code = 'invalid_configuration';
  /** The option that was refused, as a path: `resourceMetadata.resource`. */
  readonly option: string;

  constructor(complaint: Complaint, options?: ErrorOptions) {
    const { who, option, expected, fix } = complaint;
    const given = 'given' in complaint ? `, but got ${quote(complaint.given)}` : '';
    super(`${who}: option "${option}" must be ${expected}${given}. ${fix}`, options);
    this.option = option;
  }
}

const MAX_QUOTE_LENGTH = 120;

function quote(value: unknown): string {
  if (typeof value === 'function') return `a function${value.name ? ` called "${value.name}"` : ''}`;
  if (typeof value === 'number') return String(value);
  let text: string | undefined;
  try {
    text = printableJson(value, MAX_QUOTE_LENGTH);
  } catch {
    // A circular object or a bigint: its type is all that can be said, and enough to find it.
  }
  text ??= `${value === undefined ? 'undefined' : `a value of type ${typeof value}`}`;
  return text.length > MAX_QUOTE_LENGTH ? `${text.slice(0, MAX_QUOTE_LENGTH)}…` : text;
}

/** The `error` of each JSON body (RFC 6750, section 3.1, and RFC 9449, section 7.1; ours where no token was sent), with its status. */
const STATUSES = {
  unauthorized: 401,
  invalid_request: 400,
  invalid_token: 401,
  invalid_dpop_proof: 401,
  insufficient_scope: 403,
  access_denied: 403,
} as const;

type RefusalStatus = (typeof STATUSES)[keyof typeof STATUSES];

/** @param description Public and constant: no token, no claim value. */
function refusal(error: keyof typeof STATUSES, description: string) {
  return { status: STATUSES[error], error, description };
}

const invalidToken = (description: string) => refusal('invalid_token', description);

/** Every way in which a request is refused. Each key has a heading in docs/errors.md. */
export const REFUSALS = {
  missing_token: refusal('unauthorized', 'JWT token required'),
  malformed_header: refusal(
    'invalid_request',
    'The Authorization header must name a scheme, and one token after a space',
  ),
  several_tokens: refusal('invalid_request', 'The request carries more than one token or Authorization header'),
  repeated_header: refusal('invalid_request', 'The request carries a header twice that counts once'),
  token_too_long: refusal('invalid_request', 'The token is too long'),
  unusable_host: refusal('invalid_request', 'The Host header is not a host name with an optional port'),
  opaque_token: invalidToken('The token is opaque, not a JWT; ask the authorization server for a JWT access token'),
  encrypted_token: invalidToken(
    'The token is encrypted (JWE), not a signed JWT; ask the authorization server for a signed one',
  ),
  malformed_token: invalidToken('The token is not a well-formed JWT'),
  unsupported_algorithm: invalidToken('The token is signed with an algorithm that is not accepted here'),
  critical_extension: invalidToken('The token demands an extension that is not understood here'),
  token_revoked: invalidToken('The token has been revoked'),
  wrong_token_type: invalidToken('The token is not an access token'),
  unknown_issuer: invalidToken('The token has an issuer not accepted here'),
  unknown_key: invalidToken('The token is signed with a key not known here'),
  bad_signature: invalidToken('The token has an invalid signature'),
  token_expired: invalidToken('The token has expired'),
  token_not_active: invalidToken('The token is not valid yet'),
  wrong_audience: invalidToken('The token is meant for another audience'),
  missing_claim: invalidToken('The token lacks a required claim'),
  malformed_claim: invalidToken('The token has a claim of the wrong type'),
  bound_token: invalidToken('The token is bound to a key or certificate, and must not be presented as a bearer token'),
  unbound_token: invalidToken('The token is not bound to a key, and must be presented as a bearer token'),
  unsupported_confirmation: invalidToken('The token is bound in a way that cannot be checked here'),
  dpop_required: invalidToken('A token bound to a key is required, with the DPoP scheme and a proof'),
  missing_dpop_proof: refusal('invalid_dpop_proof', 'The DPoP header is missing'),
  invalid_dpop_proof: refusal('invalid_dpop_proof', 'The DPoP proof is not valid'),
  replayed_dpop_proof: refusal('invalid_dpop_proof', 'The DPoP proof has been used before'),
  certificate_required: invalidToken(
    'A token bound to a client certificate is required, on a connection with that certificate',
  ),
  wrong_certificate: invalidToken('The token is bound to another client certificate'),
  insufficient_scope: refusal('insufficient_scope', 'The token lacks a required scope'),
  // Not `insufficient_scope`: a client would go for more scopes, and no scope helps.
  call_denied: refusal('access_denied', 'The caller may not do this, with whatever scope'),
};

/** A key of {@link REFUSALS}. */
export type RefusalCode = keyof typeof REFUSALS;

/** The unverified claims of a refused token and the fault that was found: for logs. */
export type Evidence = Readonly<Record<string, unknown>>;

/**
 * The request's fault: it is answered with 400, 401 or 403 and a challenge (RFC 6750, section 3).
 * `message` is public; what was found in the token is in `cause`, for logs, and never contains the token itself.
 */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code: RefusalCode;
  readonly status: RefusalStatus;

  constructor(code: RefusalCode, evidence?: Evidence) {
    // A refusal is no failure of this package: its stack trace would say nothing, and cost more than the rest.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(REFUSALS[code].description, evidence && { cause: evidence });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.status = REFUSALS[code].status;
  }

  /** The evidence: what the token has. */
  get evidence(): Evidence {
    return (this.cause ?? {}) as Evidence;
  }

  /** The same refusal with further evidence. */
  with(evidence: Evidence): AuthError {
    return new AuthError(this.code, { ...this.evidence, ...evidence });
  }
}

const outage = (status: 502 | 503, description: string) => ({ status, description });

/** Every way in which we, or a server we depend on, can fail. Each key has a heading in docs/errors.md. */
export const OUTAGES = {
  key_set_unavailable: outage(503, 'The keys that verify tokens cannot be read at the moment'),
  package_unavailable: outage(503, 'A package that checks tokens cannot be loaded at the moment'),
  proof_store_full: outage(503, 'More DPoP proofs come in than can be remembered'),
  authorization_server_unavailable: outage(503, 'The authorization server cannot be reached at the moment'),
  authorization_server_malformed: outage(502, 'The authorization server gave an answer that cannot be used'),
  client_refused: outage(502, 'The authorization server does not accept the client that this server has there'),
};

/** A key of {@link OUTAGES}. */
export type OutageCode = keyof typeof OUTAGES;

/**
 * Our fault, or that of a server we depend on, never the client's: answered without a challenge where the request asks for JSON,
 * else passed to `next(error)`, with `status` 502 or 503 where Express and Connect look for it.
 */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  /** What failed; each code has a heading in docs/errors.md. */
  readonly code: OutageCode;
  /** The status of the answer. */
  readonly status: 502 | 503;
  /** When it is worth trying again, in seconds; sent as `Retry-After`. @default 30 */
  readonly retryAfterSeconds: number;
  /** The claims of the token that could not be checked, and the details of the outage. */
  readonly evidence: Evidence;

  constructor(code: OutageCode, options: { cause?: unknown; retryAfterSeconds?: number; evidence?: Evidence } = {}) {
    super(OUTAGES[code].description, { cause: options.cause });
    this.code = code;
    this.status = OUTAGES[code].status;
    this.retryAfterSeconds = options.retryAfterSeconds ?? 30;
    this.evidence = options.evidence ?? {};
  }

  /** The same outage with further evidence. */
  with(evidence: Evidence): UpstreamError {
    const { cause, retryAfterSeconds } = this;
    return new UpstreamError(this.code, { cause, retryAfterSeconds, evidence: { ...this.evidence, ...evidence } });
  }
}

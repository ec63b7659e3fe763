import { printableJson } from './printable.js';

/** The parts of a `ConfigError`: who refuses, which option, what was expected, what was given, what to do. */
export interface ConfigErrorParts {
  /** The function the developer called, for example `mcpAuth()`. */
  readonly who: string;
  /** The option's path, for example `resourceMetadata.resource`. */
  readonly option: string;
  /** The expected value, as the end of a sentence with "must be …". */
  readonly expected: string;
  /** The given value, quoted as JSON. Leave it out if it may be a secret. */
  readonly given?: unknown;
  /** The advice: one sentence. */
  readonly fix: string;
}

/** Thrown at construction for a mistake of the developer. `message` says what to change. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** The same for every `ConfigError`. */
  readonly code = 'invalid_configuration';
  /** The option that was refused, as a path: `resourceMetadata.resource`. */
  readonly option: string;

  constructor(parts: ConfigErrorParts, options?: { readonly cause?: unknown }) {
    const { who, option, expected, fix } = parts;
    const given = 'given' in parts ? `, but got ${quote(parts.given)}` : '';
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
    // A circular object or a bigint has no JSON. Its type is enough to find it.
  }
  text ??= `${value === undefined ? 'undefined' : `a value of type ${typeof value}`}`;
  return text.length > MAX_QUOTE_LENGTH ? `${text.slice(0, MAX_QUOTE_LENGTH)}…` : text;
}

/**
 * The status of each `error` in a JSON body (RFC 6750, section 3.1; RFC 9449, section 7.1). `unauthorized` is our own, for requests
 * without a token.
 */
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
  malformed_header: refusal('invalid_request', 'The Authorization header must be a scheme, a space and one token'),
  several_tokens: refusal('invalid_request', 'The request carries more than one token or Authorization header'),
  repeated_header: refusal('invalid_request', 'The request repeats a header that may appear only once'),
  token_too_long: refusal('invalid_request', 'The token is too long'),
  unusable_host: refusal('invalid_request', 'The Host header is not a host name with an optional port'),
  opaque_token: invalidToken('The token is opaque, not a JWT; ask the authorization server for a JWT access token'),
  encrypted_token: invalidToken(
    'The token is encrypted (JWE), not a signed JWT; ask the authorization server for a signed one',
  ),
  malformed_token: invalidToken('The token is not a well-formed JWT'),
  unsupported_algorithm: invalidToken('The token is signed with an algorithm that is not accepted here'),
  critical_extension: invalidToken('The token requires an extension (crit) that is not supported here'),
  unknown_api_key: invalidToken('The API key is not known here'),
  unknown_issued_token: invalidToken('The token was not issued by this server, or can no longer be opened here'),
  inactive_token: invalidToken('The token is not active: it is unknown, expired or revoked'),
  token_revoked: invalidToken('The token has been revoked'),
  wrong_token_type: invalidToken('The token is not an access token'),
  unknown_issuer: invalidToken('The issuer of the token is not accepted here'),
  unknown_key: invalidToken('The token is signed with an unknown key'),
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
  // Not `insufficient_scope`: a client would request more scopes, and no scope helps.
  call_denied: refusal('access_denied', 'The caller may not do this, whatever its scopes'),
};

/** A key of {@link REFUSALS}. */
export type RefusalCode = keyof typeof REFUSALS;

/** Details for logs: the unverified claims of a refused token, and what is wrong with it. */
export type Evidence = Readonly<Record<string, unknown>>;

/**
 * An error of the request, answered with 400, 401 or 403 and a challenge (RFC 6750, section 3). `message` is public. `cause` has the
 * details of the token for logs, but never the token itself.
 */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code: RefusalCode;
  readonly status: RefusalStatus;

  constructor(code: RefusalCode, evidence?: Evidence) {
    // Without a stack trace, which would say nothing about a refused request, and takes longer than the rest of the constructor.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(REFUSALS[code].description, evidence && { cause: evidence });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.status = REFUSALS[code].status;
  }

  /** The details for logs; empty if there are none. */
  get evidence(): Evidence {
    return (this.cause ?? {}) as Evidence;
  }

  /** Returns the same refusal with further details. */
  with(evidence: Evidence): AuthError {
    return new AuthError(this.code, { ...this.evidence, ...evidence });
  }
}

const outage = (status: 502 | 503, description: string) => ({ status, description });

/** Every way in which this package, or a server that it depends on, can fail. Each key has a heading in docs/errors.md. */
export const OUTAGES = {
  key_set_unavailable: outage(503, 'The keys that verify tokens cannot be read at the moment'),
  introspection_unavailable: outage(503, 'The authorization server cannot check the token at the moment'),
  verifier_unavailable: outage(503, 'A function of this server cannot check the token at the moment'),
  api_keys_unavailable: outage(503, 'The API keys cannot be looked up at the moment'),
  too_many_unknown_tokens: outage(503, 'Too many unknown tokens are being checked at the moment'),
  package_unavailable: outage(503, 'A package that checks tokens cannot be loaded at the moment'),
  proof_store_full: outage(503, 'Too many DPoP proofs or client assertions are in use at the moment'),
  store_unavailable: outage(503, 'The memory that the replicas of this server share cannot be used at the moment'),
  too_many_failed_tokens: outage(503, 'Too many tokens fail verification at the moment'),
  authorization_server_unavailable: outage(503, 'The authorization server cannot be reached at the moment'),
  authorization_server_malformed: outage(502, 'The authorization server gave an answer that cannot be used'),
  client_document_unavailable: outage(503, 'The metadata document of the client cannot be fetched at the moment'),
  too_many_client_documents: outage(503, 'Too many metadata documents of clients are being fetched at the moment'),
  login_rule_unavailable: outage(503, 'A function of this server cannot decide on the login at the moment'),
  client_refused: outage(502, 'The authorization server does not accept the client credentials of this server'),
};

/** A key of {@link OUTAGES}. */
export type OutageCode = keyof typeof OUTAGES;

/**
 * A failure of this package or of a server that it depends on, never of the client. If the request accepts JSON, it is answered without
 * a challenge. Otherwise it is passed to `next(error)`; Express and Connect read its `status`, 502 or 503.
 */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  /** The name of the failure. Each code has a heading in docs/errors.md. */
  readonly code: OutageCode;
  /** The status of the answer. */
  readonly status: 502 | 503;
  /** Seconds until a retry makes sense; sent as `Retry-After`. @default 30 */
  readonly retryAfterSeconds: number;
  /** Headers of the answer: error handlers that drop those of the response, such as Koa's, send the headers of the error. */
  readonly headers: Readonly<Record<'retry-after', string>>;
  /** The claims of the token that could not be checked, and the details of the outage. */
  readonly evidence: Evidence;

  constructor(code: OutageCode, options: { cause?: unknown; retryAfterSeconds?: number; evidence?: Evidence } = {}) {
    super(OUTAGES[code].description, { cause: options.cause });
    this.code = code;
    this.status = OUTAGES[code].status;
    this.retryAfterSeconds = options.retryAfterSeconds ?? 30;
    this.headers = { 'retry-after': String(this.retryAfterSeconds) };
    this.evidence = options.evidence ?? {};
  }

  /** Returns the same outage with further details. */
  with(evidence: Evidence): UpstreamError {
    const { cause, retryAfterSeconds } = this;
    return new UpstreamError(this.code, { cause, retryAfterSeconds, evidence: { ...this.evidence, ...evidence } });
  }
}

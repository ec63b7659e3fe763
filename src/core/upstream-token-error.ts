import type { Evidence } from './errors.js';

/** Every reason why there is no token of the user. Each key has a heading in docs/errors.md. */
export const UPSTREAM_TOKEN_ERRORS = {
  unknown_caller: 'this is neither a request that mcpAuth() has accepted nor its AuthInfo: a copy has no token',
  anonymous_caller: 'the caller is anonymous',
  caller_withdrawn: 'the token of the caller has been revoked, or is no longer accepted',
  no_upstream_token:
    'the credential of the caller is neither a token that this server issued, nor one that upstreamToken.exchange of its policy is for',
  upstream_token_expired: "the user's token has expired: the client must log in again, or refresh its token",
  exchange_refused: 'the authorization server refused to exchange the token',
} as const;

/** A key of {@link UPSTREAM_TOKEN_ERRORS}. */
export type UpstreamTokenErrorCode = keyof typeof UPSTREAM_TOKEN_ERRORS;

/**
 * Thrown by `getUpstreamToken()` if there is no token of the user. `message` says why, without any token. If the authorization server
 * cannot be asked at the moment, an `UpstreamError` is thrown in its place.
 */
export class UpstreamTokenError extends Error {
  override readonly name = 'UpstreamTokenError';
  /** The reason. Each code has a heading in docs/errors.md. */
  readonly code: UpstreamTokenErrorCode;
  /** For `exchange_refused`: the `status` and the `error` of the answer, and its `detail`, such as `AADSTS65001`. */
  readonly evidence: Evidence;

  constructor(code: UpstreamTokenErrorCode, evidence: Evidence = {}, cause?: unknown) {
    const said = Object.values(evidence).filter((value) => value !== undefined);
    const reason = said.length === 0 ? '' : ` (${said.join(', ')})`;
    super(`getUpstreamToken(): ${UPSTREAM_TOKEN_ERRORS[code]}${reason}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.evidence = evidence;
  }
}

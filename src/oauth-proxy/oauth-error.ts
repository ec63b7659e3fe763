/** The errors of our endpoints (RFC 6749, sections 4.1.2.1 and 5.2; RFC 7009, section 2.2.1; RFC 7591, section 3.2.2; RFC 8707, section 2). */
export type OAuthErrorName =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'unsupported_token_type'
  | 'access_denied'
  | 'invalid_redirect_uri'
  | 'invalid_client_metadata'
  | 'server_error'
  | 'temporarily_unavailable';

/** The words of a refusal's log line that say more than the client learns. */
export interface LogNote {
  /** The reason, in place of `message`. */
  readonly reason?: string;
  /** The advice for the operator. */
  readonly advice?: string;
}

/**
 * A mistake of a client of the OAuth proxy. `message` is public. It contains nothing from the request, except the redirect URIs of a
 * registration.
 */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly error: OAuthErrorName;
  readonly status: number;
  readonly note: LogNote;

  constructor(
    error: OAuthErrorName,
    message: string,
    status = error === 'invalid_client' ? 401 : 400,
    note: LogNote = {},
  ) {
    super(message);
    this.note = note;
    this.error = error;
    this.status = status;
  }
}

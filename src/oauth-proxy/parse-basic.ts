import { OAuthError } from './oauth-error.js';

/** A client's Basic header, read in both ways: as it is, and with the form encoding that RFC 6749 demands and many clients leave out. */
export interface BasicHeader {
  /** The first one is as it was sent. */
  readonly ids: readonly string[];
  /** Likewise. Empty if the header has none. */
  readonly secrets: readonly string[];
}

/**
 * Parses a Basic header (RFC 6749, section 2.3.1).
 *
 * @throws {OAuthError}
 */
export function parseBasic(authorization: string): BasicHeader {
  const [, encoded] = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  const decoded = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon === -1)
    throw new OAuthError('invalid_client', 'The Authorization header must be Basic, with client id and secret');
  const secret = decoded.slice(colon + 1);
  return { ids: bothForms(decoded.slice(0, colon)), secrets: secret === '' ? [] : bothForms(secret) };
}

function bothForms(sent: string): readonly string[] {
  try {
    return [...new Set([sent, decodeURIComponent(sent.replaceAll('+', ' '))])];
  } catch {
    // It is not form-encoded: its percent sign is one.
    return [sent];
  }
}

import { type CompactJwt, parseToken } from '../auth/token/compact-jwt.js';
import { AuthError } from '../core/errors.js';
import type { Parameters } from '../http/form.js';
import { OAuthError } from './oauth-error.js';

/** RFC 7523, section 2.2. */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const MAX_ASSERTION_BYTES = 16_384;

/**
 * Reads the assertion of a form. Nothing is verified.
 *
 * @throws {OAuthError} `invalid_client`
 */
export function readAssertion(form: Parameters): CompactJwt {
  const assertion = form.get('client_assertion');
  if (assertion === undefined) {
    throw invalidClient('This client must authenticate with private_key_jwt: client_assertion');
  }
  if (form.get('client_assertion_type') !== ASSERTION_TYPE) {
    throw invalidClient(`client_assertion_type must be ${ASSERTION_TYPE}`);
  }
  const jwt = parseAssertion(assertion);
  if (jwt === undefined)
    throw assertionRefusal(`it must be a signed JWT of at most ${MAX_ASSERTION_BYTES / 1_024} KiB, without crit`);
  return jwt;
}

function parseAssertion(assertion: string): CompactJwt | undefined {
  try {
    return parseToken(assertion, MAX_ASSERTION_BYTES);
  } catch (error) {
    if (error instanceof AuthError) return undefined;
    throw error;
  }
}

/**
 * Returns the client id that an assertion names: clients that send one need no `client_id` (RFC 7521, section 4.2). Nothing is verified.
 */
export function clientIdOfAssertion(assertion: string): string | undefined {
  const sub = parseAssertion(assertion)?.payload.sub;
  return typeof sub === 'string' ? sub : undefined;
}

/** Returns the error for an assertion with this fault. */
export function assertionRefusal(fault: string): OAuthError {
  return invalidClient(`client_assertion is refused: ${fault}`);
}

function invalidClient(message: string): OAuthError {
  // Such a client does not register, which is the usual advice.
  const advice = 'tell the publisher of the client; if this is about a time, compare the clocks';
  return new OAuthError('invalid_client', message, 401, { advice });
}

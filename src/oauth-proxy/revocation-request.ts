import type { IncomingMessage } from 'node:http';
import { type Parameters, readForm } from '../http/form.js';
import { type AuthenticatedClient, authenticateClient } from './client-authentication.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import { MAX_FORM_BYTES } from './token-request.js';

/** A request to the revocation endpoint, whose client is authenticated. */
interface RevocationRequest {
  readonly form: Parameters;
  readonly authenticated: AuthenticatedClient;
  /** The token to revoke, as the client sent it. */
  readonly token: string;
}

/**
 * Reads a request to the revocation endpoint (RFC 7009, section 2.1), and authenticates its client.
 *
 * @throws {OAuthError}
 */
export async function readRevocationRequest(
  context: OAuthProxyContext,
  req: IncomingMessage,
): Promise<RevocationRequest> {
  const form = await readForm(req, MAX_FORM_BYTES);
  const token = form?.get('token');
  if (form === undefined || token === undefined) {
    throw new OAuthError('invalid_request', 'The request must contain one token');
  }
  return { form, authenticated: await authenticateClient(context, req, form), token };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Parameters } from '../http/form.js';
import { replyJson } from '../http/reply.js';
import { sharesClient } from './client.js';
import type { AuthenticatedClient } from './client-authentication.js';
import type { OAuthProxyContext } from './context.js';
import { fingerprint } from './fingerprint.js';
import { canRevoke } from './metadata-document.js';
import { OAuthError } from './oauth-error.js';
import { readRevocationRequest } from './revocation-request.js';
import type { UpstreamClient } from './sealed-contents.js';
import { isClientUnknown, NO_STORE, refusalOf } from './upstream-answer.js';
import { postForm, upstreamCredentials } from './upstream-credentials.js';

/** A token that its client may revoke. */
interface Revocation {
  /** As the upstream server knows it. */
  readonly token: string;
  readonly registered: UpstreamClient | undefined;
  readonly hint: string | undefined;
}

/** Creates the revocation endpoint (RFC 7009). It answers 404 if the upstream server has none. */
export function createRevocation(context: OAuthProxyContext) {
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { form, authenticated, token: given } = await readRevocationRequest(context, req);
    const revocation = readRevocation(context, authenticated, { form, given });
    await revoke(context, authenticated, revocation);
    replyJson(res, 200, '{}', NO_STORE);
  };
}

/** RFC 7009, section 2.1: a client may revoke its own tokens only; section 2.2: for other tokens it gets the same answer. */
function readRevocation(
  { seal }: OAuthProxyContext,
  { client }: AuthenticatedClient,
  { form, given }: { readonly form: Parameters; readonly given: string },
): Revocation | undefined {
  const sealed = seal.open('refresh_token', given);
  if (sealed !== undefined && sealed.client !== fingerprint(client.id)) return undefined;
  const [token, hint] = [sealed?.token ?? given, form.get('token_type_hint')];
  return { token, registered: sealed?.upstream, hint };
}

async function revoke(
  { options, upstream, upstreamClients }: OAuthProxyContext,
  authenticated: AuthenticatedClient,
  revocation: Revocation | undefined,
): Promise<void> {
  const metadata = await upstream();
  const { revocationEndpoint: url } = metadata;
  if (url === undefined || !canRevoke(options, metadata)) {
    throw new OAuthError('invalid_request', 'Tokens cannot be revoked here', 404);
  }
  if (revocation === undefined) return;
  const { token, hint, registered } = revocation;
  // An access token does not say for which client at the upstream server it was issued.
  if (registered === undefined && authenticated.client.upstreamId === undefined) {
    throw new OAuthError('unsupported_token_type', 'Only refresh tokens of this client can be revoked here');
  }
  const credentials = upstreamCredentials(options, authenticated, { metadata, registered });
  const answer = await postForm(url, { token, ...(hint && { token_type_hint: hint }) }, credentials);
  if (answer.status < 400) return;
  if (registered !== undefined && isClientUnknown(answer)) {
    // With the client, the upstream server has forgotten its tokens.
    upstreamClients.forget(registered);
    return;
  }
  const shared = sharesClient(options, authenticated.client);
  throw refusalOf(answer, ['invalid_request', 'The token cannot be revoked'], shared);
}

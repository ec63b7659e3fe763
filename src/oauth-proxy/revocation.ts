import type { IncomingMessage, ServerResponse } from 'node:http';
import { readForm } from '../http/form.js';
import { replyJson } from '../http/reply.js';
import { postForm, readClient, upstreamCredentials } from './client-authentication.js';
import { fingerprint, isConfiguredClient } from './clients.js';
import type { OAuthProxyContext } from './context.js';
import { canRevoke } from './metadata-document.js';
import { OAuthError } from './oauth-error.js';
import { NO_STORE, refusalOf } from './upstream-answer.js';

const MAX_FORM_BYTES = 65_536;

/** Creates the revocation endpoint (RFC 7009). It answers 404 if the upstream server has none. */
export function createRevocation({ options, clients, seal, upstream, refusals }: OAuthProxyContext) {
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const form = await readForm(req, MAX_FORM_BYTES);
    const given = form?.get('token');
    if (form === undefined || given === undefined)
      throw new OAuthError('invalid_request', 'The request must contain one token');
    const authenticated = readClient({ clients, options }, form, req.headers.authorization);
    refusals.about(req, { client: authenticated.client.name });
    const metadata = await upstream();
    const { revocationEndpoint: url } = metadata;
    if (url === undefined || !canRevoke(options, metadata)) {
      throw new OAuthError('invalid_request', 'Tokens cannot be revoked here', 404);
    }
    const sealed = seal.open('refresh_token', given);
    const hint = form.get('token_type_hint');
    // RFC 7009, section 2.1: a client may revoke its own tokens only; section 2.2: for other tokens it gets the same answer.
    if (sealed === undefined || sealed.client === fingerprint(authenticated.client.id)) {
      const token = sealed?.token ?? given;
      const credentials = upstreamCredentials(authenticated);
      const answer = await postForm(url, { token, ...(hint && { token_type_hint: hint }) }, credentials);
      const shared = isConfiguredClient(options, authenticated.client);
      if (answer.status >= 400) throw refusalOf(answer, ['invalid_request', 'The token cannot be revoked'], shared);
    }
    replyJson(res, 200, '{}', NO_STORE);
  };
}

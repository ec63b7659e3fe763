import { UpstreamError } from '../core/errors.js';
import type { ServerMetadata } from '../upstream/server-metadata.js';
import type { UpstreamClient } from './sealed-contents.js';
import { ownCredentials, postForm } from './upstream-credentials.js';

/** The parts of the OAuth proxy that a probe needs. */
interface ProbeContext {
  readonly endpoints: { readonly callback: string };
  readonly upstream: () => Promise<ServerMetadata>;
}

/** A code that no server has issued. PKCE verifiers have at least 43 characters. */
const MADE_UP = 'made-up-to-learn-if-this-client-is-still-known';

/**
 * Creates the function that finds out if the upstream server has forgotten a client. It asks the token endpoint, with a code that does not
 * exist: a server checks the client first (RFC 6749, section 4.1.3). The authorization endpoint would show the user an error page and not send
 * the browser back (section 4.1.2.1).
 */
export function createClientProbe({ endpoints, upstream }: ProbeContext) {
  return async (client: UpstreamClient): Promise<boolean> => {
    try {
      const metadata = await upstream();
      const form = {
        grant_type: 'authorization_code',
        code: MADE_UP,
        code_verifier: MADE_UP,
        redirect_uri: endpoints.callback,
      };
      const { status, body } = await postForm(metadata.tokenEndpoint, form, ownCredentials(client, metadata));
      // Not `unauthorized_client`: an administrator may have to allow this client first.
      return status >= 400 && body?.error === 'invalid_client';
    } catch (error) {
      if (error instanceof UpstreamError) return false;
      throw error;
    }
  };
}

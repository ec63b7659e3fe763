import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseForm } from '../http/form.js';
import { rawPath, rawQuery, requestTarget } from '../http/request-target.js';
import { LEGACY_AUTHORIZE_PATH } from '../oauth/well-known.js';
import {
  type AuthorizationRequest,
  parseAuthorizationRequest,
  type Requester,
  requireRequester,
} from './authorization-request.js';
import { consentFingerprint, readConsent } from './consent.js';
import { askForConsent } from './consent-page.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import { isForeignHttps } from './redirect-uri.js';
import { REPEATABLE } from './require-our-resource.js';
import { replyErrorToClient, replyRedirect, startLogin } from './upstream-login.js';

/** Creates the authorization endpoint (RFC 6749, section 3.1), and the endpoint that receives the consent page's form. */
export function createAuthorize(context: OAuthProxyContext) {
  const { loginCookies, endpoints } = context;

  async function authorize(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const query = rawQuery(requestTarget(req));
    await withRequest(context, req, res, { query, hasUserActed: false }, async (requester, request) => {
      // Browsers send the cookies of other logins only to the endpoint below the well-known path.
      if (rawPath(requestTarget(req)) === LEGACY_AUTHORIZE_PATH) {
        replyRedirect(res, `${endpoints.authorize}?${query}`);
        return;
      }
      const browser = loginCookies.identify(req, res);
      const consent = consentFingerprint(context, requester, request);
      if (consent === undefined || browser.allowed.includes(consent)) {
        replyRedirect(res, await startLogin(context, req, res, { requester, request, browser }));
      } else {
        askForConsent(context, res, { requester, request, browser, query, consent });
      }
    });
  }

  async function consent(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { query, fingerprint, allowed, browser } = await readConsent(context, req);
    await withRequest(context, req, res, { query, hasUserActed: true }, async (requester, request) => {
      if (!allowed) throw new OAuthError('access_denied', 'The user has denied the request');
      const needed = consentFingerprint(context, requester, request);
      // With the policy of this server, it is about other scopes than those that the user saw.
      if (needed !== undefined && needed !== fingerprint) {
        askForConsent(context, res, { requester, request, browser, query, consent: needed });
        return;
      }
      const login = await startLogin(context, req, res, { requester, request, browser });
      if (needed !== undefined) loginCookies.remember(res, browser, needed);
      replyRedirect(res, login);
    });
  }

  return { authorize, consent };
}

/**
 * Runs `proceed` with a checked request. Once the redirect URI is known to be the client's, errors go there. If it is on another
 * host, they go there only after the user has acted: a link must not redirect a browser there (RFC 9700, section 4.11.2).
 */
async function withRequest(
  context: OAuthProxyContext,
  req: IncomingMessage,
  res: ServerResponse,
  { query, hasUserActed }: { readonly query: string; readonly hasUserActed: boolean },
  proceed: (requester: Requester, request: AuthorizationRequest) => Promise<void>,
): Promise<void> {
  const parameters = parseForm(query, REPEATABLE);
  if (parameters === undefined) throw new OAuthError('invalid_request', 'A parameter appears more than once');
  const client = await context.clients.find(parameters.get('client_id'), req);
  const requester = requireRequester(parameters, client, context.options);
  try {
    await proceed(requester, parseAuthorizationRequest(parameters, client, context.options));
  } catch (error) {
    if (!hasUserActed && isForeignHttps(requester.redirectUri, context.options.resource.host)) throw error;
    replyErrorToClient(context, req, res, requester, error);
  }
}

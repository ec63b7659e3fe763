import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Parameters, parseForm } from '../http/form.js';
import { rawQuery, requestTarget } from '../http/request-target.js';
import type { ServerMetadata } from '../upstream/server-metadata.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import { CODE_SECONDS, type Login } from './sealed-contents.js';
import { UpstreamRefusal } from './upstream-answer.js';
import { replyErrorToClient, replyToClient } from './upstream-login.js';

/** The characters of `error` and `error_description` (RFC 6749, section 4.1.2.1). */
const PRINTABLE = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,500}$/;

/**
 * Creates the endpoint to which the upstream server sends the browser back. The client gets a code of the OAuth proxy, bound to
 * the client and its redirect URI.
 */
export function createCallback(context: OAuthProxyContext) {
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const parameters = parseForm(rawQuery(requestTarget(req)));
    const login = requireLogin(context, req, res, parameters?.get('state'));
    context.refusals.about(req, { client: login.name });
    let upstream: ServerMetadata;
    try {
      upstream = await context.upstream();
    } catch (error) {
      replyErrorToClient(context, req, res, login, error);
      return;
    }
    // An identity provider is the only server with this callback, and may call itself otherwise here.
    if (context.options.issuing === undefined) requireIssuer(upstream, parameters?.get('iss'));
    if (login.upstream !== undefined) context.upstreamClients.noteAnswer(login.upstream);
    const answer = answerOf(context, login, parameters);
    if ('error' in answer) context.refusals.write(req, 'login', new UpstreamRefusal(302, answer));
    replyToClient(context, res, login, answer);
  };
}

/** @throws {OAuthError} If the login was not started here, was started in another browser, or has expired. */
function requireLogin(
  { pendingLogins, loginCookies }: OAuthProxyContext,
  req: IncomingMessage,
  res: ServerResponse,
  state: string | undefined,
): Login {
  const login = pendingLogins.end(req, res, state);
  if (login === undefined || loginCookies.find(req, login.browserId) === undefined) {
    throw new OAuthError('invalid_request', 'This login has expired or was started in another browser');
  }
  return login;
}

/** Checks `iss` (RFC 9207, section 2.4). A wrong one gets a page, not a redirect: it may be a mix-up attack. */
function requireIssuer({ issuer, sendsIss }: ServerMetadata, iss: string | undefined): void {
  if (iss === undefined ? sendsIss : iss !== issuer) {
    throw new OAuthError(
      'invalid_request',
      'This login was started at one authorization server and answered by another',
    );
  }
}

function answerOf(
  { seal }: OAuthProxyContext,
  { client, upstream, redirectUri, scopes, hasDefaultScopes, codeChallenge, verifier }: Login,
  parameters: Parameters | undefined,
): { code: string } | { error: string; error_description?: string } {
  const code = parameters?.get('code');
  if (code !== undefined && parameters?.get('error') === undefined) {
    const contents = { client, upstream, redirectUri, scopes, hasDefaultScopes, codeChallenge, code, verifier };
    return { code: seal.close('code', contents, CODE_SECONDS) };
  }
  const textOf = (name: string) => {
    const value = parameters?.get(name);
    return value !== undefined && PRINTABLE.test(value) ? value : undefined;
  };
  const description = textOf('error_description');
  return {
    error: textOf('error') ?? 'server_error',
    ...(description === undefined ? {} : { error_description: description }),
  };
}

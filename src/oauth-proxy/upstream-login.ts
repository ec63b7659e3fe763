import type { IncomingMessage, ServerResponse } from 'node:http';
import { UpstreamError } from '../core/errors.js';
import { replyEmpty } from '../http/reply.js';
import { callerNetwork } from '../limits/caller-address.js';
import type { Prompts } from '../providers/provider.js';
import type { AuthorizationRequest, Requester } from './authorization-request.js';
import type { OAuthProxyContext } from './context.js';
import { fingerprint } from './fingerprint.js';
import { createVerifier, loginParameters } from './issuing/login-parameters.js';
import { OAuthError } from './oauth-error.js';
import type { NewPendingLogin } from './pending-logins.js';
import { withParameters } from './redirect-uri.js';
import type { Browser } from './sealed-contents.js';
import { UpstreamRefusal } from './upstream-answer.js';
import type { LoginClient } from './upstream-clients.js';

/** A login that a user has agreed to. */
interface NewLogin {
  readonly requester: Requester;
  readonly request: AuthorizationRequest;
  readonly browser: Browser;
}

/**
 * Returns the URL at the upstream server where the user logs in. A client that did not register itself is registered there first, if it
 * must have a client of its own.
 */
export async function startLogin(
  context: OAuthProxyContext,
  req: IncomingMessage,
  res: ServerResponse,
  login: NewLogin,
): Promise<string> {
  const { authorizationEndpoint } = await context.upstream();
  const client = await context.upstreamClients.forLogin(login.requester.client, callerNetwork(req));
  const verifier = context.options.issuing && createVerifier();
  const state = context.pendingLogins.begin(req, res, pendingLogin(login, client, verifier));
  return loginUrl(context, authorizationEndpoint, { request: login.request, client, verifier, state });
}

function pendingLogin(
  { requester, request, browser }: NewLogin,
  { registered }: LoginClient,
  verifier: string | undefined,
): NewPendingLogin {
  return {
    browserId: browser.id,
    client: fingerprint(requester.client.id),
    name: requester.client.label,
    upstream: registered,
    redirectUri: requester.redirectUri,
    state: requester.state,
    scopes: request.scopes,
    hasDefaultScopes: request.hasDefaultScopes || undefined,
    codeChallenge: request.codeChallenge,
    verifier,
  };
}

/** A login that is kept. */
interface BegunLogin {
  readonly request: AuthorizationRequest;
  readonly client: LoginClient;
  /** Our own PKCE verifier at an identity provider. */
  readonly verifier: string | undefined;
  /** Our `state` at the upstream server. */
  readonly state: string;
}

function loginUrl(
  { options, endpoints }: OAuthProxyContext,
  endpoint: URL,
  { request, client, verifier, state }: BegunLogin,
): string {
  const own =
    options.issuing === undefined || verifier === undefined
      ? relayedParameters(options, request)
      : loginParameters(options.issuing.identity, verifier);
  const parameters = {
    ...own,
    response_type: 'code',
    client_id: client.id,
    redirect_uri: endpoints.callback,
    state,
  };
  const url = new URL(endpoint);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** The parameters for a server whose tokens the client gets. */
function relayedParameters(
  { provider, audiences, resource }: OAuthProxyContext['options'],
  { passedOn, scopes, prompts, codeChallenge }: AuthorizationRequest,
): Readonly<Record<string, string>> {
  const scope = provider.upstreamScopes(scopes, audiences).join(' ');
  const prompt = promptFor(provider.prompts, prompts);
  return {
    ...Object.fromEntries(passedOn),
    ...(scope === '' ? {} : { scope }),
    ...(provider.sendsAudience ? { audience: audiences[0] as string } : {}),
    // Sent even if the client names none: without it the server does not know the resource, and oidc-provider issues an opaque token.
    ...(provider.acceptsResource ? { resource: resource.href } : {}),
    ...(prompt === '' ? {} : { prompt }),
    ...(provider.acceptsPkce ? { code_challenge: codeChallenge, code_challenge_method: 'S256' } : {}),
  };
}

/** The client's prompts that the server knows. It would refuse the login for any other. */
function promptFor({ passed, takesSeveral }: Prompts, asked: readonly string[]): string {
  const known = passed.filter((value) => asked.includes(value));
  return (takesSeveral ? known : known.slice(0, 1)).join(' ');
}

/** The client that gets an answer. */
interface Addressee {
  readonly redirectUri: string;
  readonly state: string | undefined;
}

/** Answers the client, with our `iss` (RFC 9207) and its own `state`. */
export function replyToClient(
  { options }: OAuthProxyContext,
  res: ServerResponse,
  to: Addressee,
  answer: Readonly<Record<string, string | undefined>>,
): void {
  replyRedirect(res, withParameters(to.redirectUri, { ...answer, state: to.state, iss: options.resource.href }));
}

/** Sends an error to the client. A redirect has no status, so outages have names (RFC 6749, section 4.1.2.1). */
export function replyErrorToClient(
  context: OAuthProxyContext,
  req: IncomingMessage,
  res: ServerResponse,
  to: Addressee,
  error: unknown,
): void {
  if (error instanceof OAuthError) {
    context.refusals.write(req, 'login', error);
    replyToClient(context, res, to, { error: error.error, error_description: error.message });
  } else if (error instanceof UpstreamRefusal) {
    context.refusals.write(req, 'login', error);
    const description = 'The authorization server does not register this client';
    replyToClient(context, res, to, { error: 'server_error', error_description: description });
  } else if (error instanceof UpstreamError) {
    context.refusals.writeOutage(error);
    const name = error.status === 503 ? 'temporarily_unavailable' : 'server_error';
    replyToClient(context, res, to, { error: name, error_description: error.message });
  } else throw error;
}

/** Redirects with 303, so that browsers do not post a form again (RFC 9700, section 4.12). */
export function replyRedirect(res: ServerResponse, location: string): void {
  const headers = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'content-length': '0' };
  replyEmpty(res, 303, { location, ...headers });
}

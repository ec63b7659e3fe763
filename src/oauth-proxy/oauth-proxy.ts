import type { IncomingMessage, ServerResponse } from 'node:http';
import { UpstreamError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { isAnswered } from '../http/answered.js';
import { BODY_RETRY_AFTER, BodyError, reportBody } from '../http/body.js';
import { closeAfterAnswer } from '../http/close-after-answer.js';
import { forEveryOrigin, forMethods } from '../http/endpoint.js';
import { failRequest } from '../http/fail-request.js';
import { escapeHtml } from '../http/html.js';
import { asError, type Middleware } from '../http/middleware.js';
import { replyPage } from '../http/page.js';
import { replyJson } from '../http/reply.js';
import {
  isOpenIdPath,
  OAUTH_PROXY_METHODS,
  type OAuthProxyEndpointName,
  ROOT_METADATA_PATH,
} from '../oauth/well-known.js';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import { createAuthorize } from './authorize.js';
import { createCallback } from './callback.js';
import type { OAuthProxyContext } from './context.js';
import { createContext, type PolicyRest } from './create-context.js';
import { createIssuedRevocation } from './issuing/issued-revocation.js';
import { createIssuedTokenEndpoint } from './issuing/issued-token-endpoint.js';
import { createIssuingContext } from './issuing/issuing-context.js';
import { buildServerMetadata } from './metadata-document.js';
import { OAuthError } from './oauth-error.js';
import { warnOfRandomSecret } from './random-secret.js';
import { ACTS, type RefusalLog } from './refusal-log.js';
import type { Refused } from './refusal-remedy.js';
import { createRegistration } from './registration.js';
import { createRevocation } from './revocation.js';
import { createToken } from './token.js';
import { NO_STORE, UpstreamRefusal } from './upstream-answer.js';

type Endpoint = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

type Endpoints = ReadonlyMap<string, Middleware>;

const NAMES = Object.keys(OAUTH_PROXY_METHODS) as OAuthProxyEndpointName[];

const oauthProxies = new WeakMap<ResolvedOAuthProxy, Endpoints>();

/** The OAuth proxy's endpoints by path. The first call for a resolved policy creates its OAuth proxy, later calls share it. */
export function oauthProxyOf(options: ResolvedOAuthProxy, rest: PolicyRest): Endpoints {
  const known = oauthProxies.get(options);
  if (known !== undefined) return known;
  const endpoints = createOAuthProxy(options, rest);
  oauthProxies.set(options, endpoints);
  return endpoints;
}

function createOAuthProxy(options: ResolvedOAuthProxy, rest: PolicyRest): Endpoints {
  const { logger } = rest;
  if (options.secrets.length === 0) warnOfRandomSecret(options, logger);
  const { paths } = options;
  const context = createContext(options, rest);
  const issuing = createIssuingContext(context, rest);
  const { refusals } = context;
  const { authorize, consent } = createAuthorize(context);
  // Clients in a browser call these from pages of any origin, without cookies.
  const forClients = (name: OAuthProxyEndpointName, endpoint: Endpoint) =>
    forEveryOrigin(OAUTH_PROXY_METHODS[name], catchErrors(endpoint, replyErrorAt(name), { name, logger, refusals }));
  const forUsers = (name: OAuthProxyEndpointName, endpoint: Endpoint) =>
    forMethods(OAUTH_PROXY_METHODS[name], catchErrors(endpoint, replyErrorPage, { name, logger, refusals }));
  const routes: Record<OAuthProxyEndpointName, Middleware> = {
    metadata: forClients('metadata', createMetadata(context)),
    noKeys: forClients('noKeys', async (_req, res) => replyJson(res, 200, '{"keys":[]}')),
    registration: forClients('registration', createRegistration(context)),
    authorize: forUsers('authorize', authorize),
    consent: forUsers('consent', consent),
    callback: forUsers('callback', createCallback(context)),
    token: forClients('token', issuing ? createIssuedTokenEndpoint(issuing) : createToken(context)),
    revocation: forClients('revocation', issuing ? createIssuedRevocation(issuing) : createRevocation(context)),
  };
  const endpoints = NAMES.flatMap((name) => paths[name].map((path) => [path, routes[name]] as const));
  const openIdMetadata = forClients('metadata', createOpenIdMetadata(context));
  const atOpenIdPaths = paths.metadata.filter(isOpenIdPath).map((path) => [path, openIdMetadata] as const);
  const atRoot = [ROOT_METADATA_PATH, forClients('metadata', createRootMetadata(context))] as const;
  return new Map([...endpoints, ...atOpenIdPaths, atRoot]);
}

function createMetadata(context: OAuthProxyContext): Endpoint {
  return async (_req, res) =>
    replyJson(res, 200, JSON.stringify(buildServerMetadata(context, await context.upstream())));
}

/** OpenID Connect Discovery, section 3, requires `jwks_uri`, and so do the MCP SDKs. Without any, no ID token is issued, so the set is empty. */
function createOpenIdMetadata(context: OAuthProxyContext): Endpoint {
  return async (_req, res) => {
    const metadata = buildServerMetadata(context, await context.upstream());
    replyJson(res, 200, JSON.stringify({ jwks_uri: context.endpoints.noKeys, ...metadata }));
  };
}

/** The metadata at the root of the origin names the registration path that agentgateway names there. */
function createRootMetadata(context: OAuthProxyContext): Endpoint {
  const { resource, paths } = context.options;
  const registration = `${resource.origin}${paths.rootRegistration}`;
  return createMetadata({ ...context, endpoints: { ...context.endpoints, registration } });
}

type ErrorReply = (res: ServerResponse, error: Refused | UpstreamError) => void;

/** The one place where an endpoint's errors are caught. */
function catchErrors(
  endpoint: Endpoint,
  reply: ErrorReply,
  { name, logger, refusals }: { name: OAuthProxyEndpointName; logger: Logger; refusals: RefusalLog },
): Middleware {
  const answer = (req: IncomingMessage, res: ServerResponse, error: unknown): void => {
    const isRefusal = error instanceof OAuthError || error instanceof BodyError || error instanceof UpstreamRefusal;
    const isKnown = isRefusal || error instanceof UpstreamError;
    // Another middleware has answered meanwhile, for example after a timeout.
    if (isAnswered(res) && (isKnown || res.writableEnded)) return;
    if (!isKnown) throw error;
    if (error instanceof BodyError) closeAfterAnswer(res);
    reportBody(error, 'protectedResourceMetadata()', logger.error);
    if (error instanceof BodyError && error.status === 503) res.setHeader('retry-after', BODY_RETRY_AFTER);
    if (error instanceof UpstreamError) {
      refusals.writeOutage(error);
      res.setHeader('retry-after', String(error.retryAfterSeconds));
    } else refusals.write(req, ACTS[name], error);
    reply(res, error);
  };
  return (req, res, next) => {
    endpoint(req, res)
      .catch((error: unknown) => answer(req, res, error))
      .catch((error: unknown) => failRequest(res, next, asError(error, 'The OAuth proxy')));
  };
}

/** Names the scheme that the endpoint expects (RFC 9110, section 15.5.2): a registration may need a token, the others take a client's secret. */
function replyErrorAt(name: OAuthProxyEndpointName): ErrorReply {
  return (res, error) => {
    const challenge = name === 'registration' ? 'Bearer' : 'Basic realm="OAuth"';
    // Browsers may answer a Basic challenge with a login dialog. A client that sent such a header must get it (RFC 6749, section 5.2).
    const isChallenged = name === 'registration' || res.req.headers.authorization !== undefined;
    if (error.status === 401 && isChallenged) res.setHeader('www-authenticate', challenge);
    replyJson(res, error.status, JSON.stringify(errorBody(error)), NO_STORE);
  };
}

function errorBody(error: Parameters<ErrorReply>[1]): Readonly<Record<string, string>> {
  if (error instanceof UpstreamRefusal) return error.body;
  if (error instanceof OAuthError) return { error: error.error, error_description: error.message };
  const name = error instanceof BodyError && error.status < 500 ? 'invalid_request' : 'server_error';
  return { error: name, error_description: error.message };
}

function replyErrorPage(...[res, error]: Parameters<ErrorReply>): void {
  const what = `<p>${escapeHtml(error.message)}.</p>`;
  // Browsers may answer a 401 with their own login dialog.
  const status = error.status === 401 ? 400 : error.status;
  replyPage(res, status, 'This login cannot continue', `${what}<p>Go back to your MCP client and connect again.</p>`);
}

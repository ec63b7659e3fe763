import type { IncomingMessage, ServerResponse } from 'node:http';
import { UpstreamError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { isAnswered } from '../http/answered.js';
import { BODY_RETRY_AFTER, BodyError, reportBody } from '../http/body.js';
import { forEveryOrigin, forMethods } from '../http/endpoint.js';
import { escapeHtml } from '../http/html.js';
import { asError, type Middleware } from '../http/middleware.js';
import { replyPage } from '../http/page.js';
import { replyJson } from '../http/reply.js';
import { FACADE_METHODS, type FacadeEndpointName, type FacadePaths, facadePaths } from '../oauth/well-known.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import type { ResolvedFacade } from '../policy/resolve-facade.js';
import { createServerMetadata } from '../upstream/server-metadata.js';
import { createAuthorize } from './authorize.js';
import { createBrowsers } from './browsers.js';
import { createCallback } from './callback.js';
import { createClients } from './clients.js';
import type { FacadeContext } from './context.js';
import { buildServerMetadata } from './document.js';
import { OAuthError } from './oauth-error.js';
import { warnOfRandomSecret } from './random-secret.js';
import { ACTS, createRefusalLog, type RefusalLog, type Refused } from './refusal-log.js';
import { createRegistration } from './registration.js';
import { createRevocation } from './revocation.js';
import { createFacadeSeal } from './sealed-contents.js';
import { createToken } from './token.js';
import { NO_STORE, UpstreamRefusal } from './upstream-answer.js';

type Endpoint = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

/** What the facade takes from the rest of the policy. */
type FacadeSurroundings = Pick<ResolvedAuth, 'logger' | 'staleIfErrorSeconds'>;

type Endpoints = ReadonlyMap<string, Middleware>;

const NAMES = Object.keys(FACADE_METHODS) as FacadeEndpointName[];

const facades = new WeakMap<ResolvedFacade, Endpoints>();

/** The facade's endpoints by path: one facade for each resolved policy, made for the first middleware that asks. */
export function facadeOf(held: ResolvedFacade, surroundings: FacadeSurroundings): Endpoints {
  const known = facades.get(held);
  if (known !== undefined) return known;
  const endpoints = createFacade(held, surroundings);
  facades.set(held, endpoints);
  return endpoints;
}

function createFacade(held: ResolvedFacade, surroundings: FacadeSurroundings): Endpoints {
  const { logger } = surroundings;
  if (held.secrets.length === 0) warnOfRandomSecret(held, logger);
  const paths = facadePaths(held.resource.pathname, held.legacyEndpoints);
  const context = createContext(held, surroundings, paths);
  const { refusals } = context;
  const { authorize, consent } = createAuthorize(context);
  const metadata: Endpoint = async (_req, res) =>
    replyJson(res, 200, JSON.stringify(buildServerMetadata(context, await context.upstream())));

  // Clients in a browser call these from pages of any origin, without cookies.
  const machine = (name: FacadeEndpointName, endpoint: Endpoint) =>
    forEveryOrigin(FACADE_METHODS[name], answering(endpoint, replyError, { name, logger, refusals }));
  const human = (name: FacadeEndpointName, endpoint: Endpoint) =>
    forMethods(FACADE_METHODS[name], answering(endpoint, replyErrorPage, { name, logger, refusals }));
  const routes: Record<FacadeEndpointName, Middleware> = {
    metadata: machine('metadata', metadata),
    registration: machine('registration', createRegistration(context)),
    authorize: human('authorize', authorize),
    consent: human('consent', consent),
    callback: human('callback', createCallback(context)),
    token: machine('token', createToken(context)),
    revocation: machine('revocation', createRevocation(context)),
  };
  return new Map(NAMES.flatMap((name) => paths[name].map((path) => [path, routes[name]])));
}

function createContext(held: ResolvedFacade, surroundings: FacadeSurroundings, paths: FacadePaths): FacadeContext {
  const { href, origin } = held.resource;
  // Else one issuer's refresh tokens would go to the next, and a client of the last shared one would pass for a registered one.
  const seal = createFacadeSeal(held.secrets, [href, held.issuer, held.client?.id ?? null]);
  return {
    held,
    endpoints: Object.fromEntries(
      NAMES.map((name) => [name, `${origin}${paths[name][0]}`]),
    ) as FacadeContext['endpoints'],
    seal,
    clients: createClients(seal),
    browsers: createBrowsers(seal, new URL(href)),
    refusals: createRefusalLog(held, surroundings.logger),
    upstream: createServerMetadata({
      urls: held.metadataUrls,
      issuer: held.metadataIssuer,
      allowHttp: held.allowHttp,
      ...surroundings,
    }),
  };
}

type ErrorReply = (res: ServerResponse, error: Refused | UpstreamError) => void;

/** The one place where an endpoint's errors are caught. */
function answering(
  endpoint: Endpoint,
  reply: ErrorReply,
  { name, logger, refusals }: { name: FacadeEndpointName; logger: Logger; refusals: RefusalLog },
): Middleware {
  return (req, res, next) => {
    endpoint(req, res).catch((error: unknown) => {
      // Answered by somebody else meanwhile, for example for want of time: nothing more can be said.
      if (isAnswered(res)) return;
      // The rest of a body that is not read would be taken for the next request.
      if (error instanceof BodyError) res.setHeader('connection', 'close');
      reportBody(error, 'protectedResourceMetadata()', logger.error);
      if (error instanceof BodyError && error.status === 503) res.setHeader('retry-after', BODY_RETRY_AFTER);
      const isOurs = error instanceof OAuthError || error instanceof BodyError || error instanceof UpstreamRefusal;
      if (error instanceof UpstreamError) {
        refusals.writeOutage(error);
        res.setHeader('retry-after', String(error.retryAfterSeconds));
        reply(res, error);
      } else if (isOurs) {
        refusals.write(req, ACTS[name], error);
        reply(res, error);
      } else next(asError(error, 'The facade'));
    });
  };
}

function replyError(...[res, error]: Parameters<ErrorReply>): void {
  if (error.status === 401 && res.req.headers.authorization !== undefined) res.setHeader('www-authenticate', 'Basic');
  replyJson(res, error.status, JSON.stringify(errorBody(error)), NO_STORE);
}

function errorBody(error: Parameters<ErrorReply>[1]): Readonly<Record<string, string>> {
  if (error instanceof UpstreamRefusal) return error.body;
  if (error instanceof OAuthError) return { error: error.error, error_description: error.message };
  const name = error instanceof BodyError && error.status < 500 ? 'invalid_request' : 'server_error';
  return { error: name, error_description: error.message };
}

function replyErrorPage(...[res, error]: Parameters<ErrorReply>): void {
  const what = `<p>${escapeHtml(error.message)}.</p>`;
  // A browser would take 401 for a question of its own.
  const status = error.status === 401 ? 400 : error.status;
  replyPage(res, status, 'This login cannot go on', `${what}<p>Go back to your MCP client and connect again.</p>`);
}

import { replyJson } from '../http/reply.js';
import {
  type Logger,
  type McpAuthorizationOptions,
  type Middleware,
  mcpAuthorization,
  type RuleBackend,
} from '../index.js';
import { setAnonymousRefuser } from '../oauth/refusal.js';
import type { RouteBackend } from './backend.js';
import type { RouteConfig } from './config/gateway-config.js';
import { atPlace, StartupError } from './startup-error.js';

/** Creates the middlewares of a route with `mcpAuthorization`; none for a route without. */
export function createAuthorization(
  route: RouteConfig,
  backend: RouteBackend | undefined,
  logger: Logger,
): readonly Middleware[] {
  const login = route.mcpAuthentication ?? route.credentials;
  const options = authorizationOptionsOf(route, backend);
  if (options === undefined) return [];
  if (options.onDenied === 'challenge' && login === undefined) {
    throw new StartupError(`${options.at}.onDenied: "challenge" needs mcpAuthentication: the answer names its login`);
  }
  const { at: place, ...given } = options;
  const authorization = atPlace(place, () => mcpAuthorization({ ...given, logger }));
  return login === undefined ? [markAnonymous, authorization] : [authorization];
}

/**
 * Joins the blocks of a route, with the names of its targets. Undefined for a route without rules.
 *
 * @param backend The backend of the route, which knows the names of several targets.
 * @throws {StartupError} If a rule is wrong.
 */
export function authorizationOptionsOf(
  { mcpAuthorization: blocks = [], backend: config }: RouteConfig,
  backend: RouteBackend | undefined,
): (McpAuthorizationOptions & { readonly at: string }) | undefined {
  const [first, ...more] = blocks;
  if (first === undefined) return undefined;
  const names = backend && 'resolve' in backend ? backend : onlyTarget(config?.targets[0]?.name);
  if (more.length === 0) return { ...first.options, backend: names, at: first.at };
  // Each block is checked alone, so that a message counts the rules of its own place.
  for (const { options, at } of blocks) atPlace(at, () => mcpAuthorization({ ...options, backend: names }));
  const rules = blocks.flatMap(({ options }) => options.rules);
  return Object.assign({}, ...blocks.map(({ options }) => options), { rules, backend: names, at: first.at });
}

function onlyTarget(target: string | undefined): RuleBackend | undefined {
  return target === undefined ? undefined : { targets: [target], resolve: (_kind, name) => ({ target, name }) };
}

/** A route without `mcpAuthentication` has anonymous callers only. */
const markAnonymous: Middleware = (req, _res, next) => {
  setAnonymousRefuser(req, (_req, res) => replyJson(res, 403, '{"error":"access_denied"}'));
  next();
};

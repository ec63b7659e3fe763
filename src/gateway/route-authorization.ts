import { replyJson } from '../http/reply.js';
import {
  type Logger,
  type McpAuthorizationOptions,
  type Middleware,
  mcpAuthorization,
  type RuleBackend,
} from '../index.js';
import { setAnonymousRefuser } from '../oauth/refusal.js';
import type { RouteConfig } from './config/config-file.js';
import { atPlace, StartupError } from './startup-error.js';

/** Creates the middlewares of a route with `mcpAuthorization`; none for a route without. */
export function createAuthorization(route: RouteConfig, logger: Logger): readonly Middleware[] {
  const { mcpAuthentication } = route;
  const options = authorizationOptionsOf(route);
  if (options === undefined) return [];
  if (options.onDenied === 'challenge' && mcpAuthentication === undefined) {
    throw new StartupError(`${options.at}.onDenied: "challenge" needs mcpAuthentication: the answer names its login`);
  }
  const { at: place, ...given } = options;
  const authorization = atPlace(place, () => mcpAuthorization({ ...given, logger }));
  return mcpAuthentication === undefined ? [markAnonymous, authorization] : [authorization];
}

/**
 * Joins the blocks of a route and of its backend, with the name of its only target. Undefined for a route without rules.
 *
 * @throws {StartupError} If a rule is wrong.
 */
export function authorizationOptionsOf({
  mcpAuthorization: blocks = [],
  targetName,
}: Pick<RouteConfig, 'mcpAuthorization' | 'targetName'>):
  | (McpAuthorizationOptions & { readonly at: string })
  | undefined {
  const [first, ...more] = blocks;
  if (first === undefined) return undefined;
  const backend = targetName === undefined ? undefined : onlyTarget(targetName);
  if (more.length === 0) return { ...first.options, backend, at: first.at };
  // Each block is checked alone, so that a message counts the rules of its own place.
  for (const { options, at } of blocks) atPlace(at, () => mcpAuthorization({ ...options, backend }));
  const rules = blocks.flatMap(({ options }) => options.rules);
  return Object.assign({}, ...blocks.map(({ options }) => options), { rules, backend, at: first.at });
}

function onlyTarget(target: string): RuleBackend {
  return { targets: [target], resolve: (_kind, name) => ({ target, name }) };
}

/** A route without `mcpAuthentication` has anonymous callers only. */
const markAnonymous: Middleware = (req, _res, next) => {
  setAnonymousRefuser(req, (_req, res) => replyJson(res, 403, '{"error":"access_denied"}'));
  next();
};

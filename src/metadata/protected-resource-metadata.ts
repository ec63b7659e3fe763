import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from 'cors';
import { AuthError } from '../core/errors.js';
import type { Middleware } from '../http/middleware.js';
import { prepareJson, replyJson, replyMethodNotAllowed, sendJson } from '../http/reply.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { createRefusal } from '../oauth/refusal.js';
import { requestOrigin } from '../oauth/request-origin.js';
import { METADATA_METHODS, resourceMetadataPaths } from '../oauth/well-known.js';
import { createFacade } from '../oauth-proxy/facade.js';
import type { McpAuthOptions } from '../policy/auth-options.js';
import { type ResolvedAuth, resolveAuth } from '../policy/resolve-auth.js';
import { buildResourceMetadata } from './resource-metadata.js';

/**
 * Serves the protected resource metadata of a policy (RFC 9728), for every origin, at
 * `/.well-known/oauth-protected-resource` followed by the resource's path, and at the root; and the facade, where the
 * policy has a provider: metadata, registration, login and tokens. Any other path goes on to the next middleware.
 *
 * Mount it at the root of the app, before or after `mcpAuth()`: the outcome is the same; but before whatever answers at
 * the resource, since a discovery document of a facade lies below the resource's path.
 *
 * @throws {ConfigError} Where the policy is not one.
 */
export function protectedResourceMetadata(options: Readonly<McpAuthOptions>): Middleware {
  const held = resolveAuth('protectedResourceMetadata()', options);
  const paths = resourceMetadataPaths(held.resource?.pathname ?? '/');
  const answer = createAnswer(held);
  const allowEveryOrigin = cors({ origin: '*', methods: [...METADATA_METHODS] });

  const facade = held.facade === undefined ? undefined : createFacade(held.facade, held);

  return function protectedResourceMetadataMiddleware(req, res, next) {
    const path = rawPath(requestTarget(req));
    if (!paths.has(path)) {
      const route = facade?.get(path);
      if (route === undefined) next();
      else route(req, res, next);
      return;
    }
    // The cors package answers OPTIONS itself, and does not call back then.
    allowEveryOrigin(req, res, (error?: unknown) => {
      if (error) next(error);
      else if (METADATA_METHODS.includes(req.method ?? '')) answer(req, res);
      else replyMethodNotAllowed(res, METADATA_METHODS);
    });
  };
}

/** The document is serialised once where the resource is known, for each request where it is not. */
function createAnswer(held: ResolvedAuth): (req: IncomingMessage, res: ServerResponse) => void {
  if (held.resource !== undefined) {
    const reply = prepareJson(200, JSON.stringify(buildResourceMetadata(held, held.resource.href)));
    return (_req, res) => sendJson(res, reply);
  }
  const refuse = createRefusal(held);
  return (req, res) => {
    let origin: string;
    try {
      origin = requestOrigin(req);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      refuse(req, res, error.code, 'bearer');
      return;
    }
    replyJson(res, 200, JSON.stringify(buildResourceMetadata(held, origin)));
  };
}

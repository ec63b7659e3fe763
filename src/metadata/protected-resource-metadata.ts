import type { Middleware } from '../http/middleware.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import type { McpAuthOptions } from '../policy/auth-options.js';
import { type McpAuth, policyOf } from '../policy/resolved-policy.js';
import { publicEndpointsOf } from './public-endpoints.js';

/**
 * Creates the middleware that serves the protected resource metadata of a policy (RFC 9728), to pages of every origin: at
 * `/.well-known/oauth-protected-resource` followed by the resource's path, and at the root unless other resources have the
 * same origin. If the policy has a provider, it also serves the OAuth proxy: metadata, registration, login and tokens. All
 * other requests go to the next middleware.
 *
 * `mcpAuth()` serves the same for the requests that reach it. If it is mounted on a path, such as `/mcp`, mount this at the
 * root of the app, before or after it: the outcome is the same.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth, protectedResourceMetadata } from 'express-mcp-auth';
 *
 * const auth = mcpAuth({
 *   issuer: 'https://auth.example.com',
 *   resourceMetadata: { resource: 'https://mcp.example.com/mcp', scopesSupported: ['files:read'] },
 * });
 * const app = express();
 * app.use(protectedResourceMetadata(auth));
 * app.use('/mcp', auth);
 * ```
 *
 * @param policy The options object that `mcpAuth()` got, or the middleware that it returned. Options are read once: an object
 * that has changed since then is refused.
 * @throws {ConfigError} If an option is missing or wrong.
 */
export function protectedResourceMetadata(policy: Readonly<McpAuthOptions> | McpAuth): Middleware {
  const endpoints = publicEndpointsOf(policyOf('protectedResourceMetadata()', policy));

  return function protectedResourceMetadataMiddleware(req, res, next) {
    const endpoint = endpoints.get(rawPath(requestTarget(req)));
    if (endpoint === undefined) next();
    else endpoint(req, res, next);
  };
}

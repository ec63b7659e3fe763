import type { Middleware } from '../../index.js';
import { ignoreMessage } from '../../messages/received-message.js';

/** Counts the requests of a route by the policy `localRateLimit` of the version of the file that is in use. */
export function countRequests(countedBy: { readonly limit: Middleware }): Middleware {
  return (req, res, next) => countedBy.limit(req, res, next);
}

/** A route that answers by itself reads no message, so that each request counts as one call. */
export const passMessageBy: Middleware = (req, _res, next) => {
  ignoreMessage(req);
  next();
};

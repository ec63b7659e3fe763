import cors from 'cors';
import { isAnswered } from './answered.js';
import type { Middleware } from './middleware.js';
import { replyMethodNotAllowed } from './reply.js';

/** Wraps an endpoint: every method that is not in `methods` is answered 405. */
export function forMethods(methods: readonly string[], endpoint: Middleware): Middleware {
  return (req, res, next) => {
    if (methods.includes(req.method ?? '')) endpoint(req, res, next);
    else replyMethodNotAllowed(res, methods);
  };
}

/** Like {@link forMethods}, for an endpoint that scripts of every origin may call without cookies. Also answers OPTIONS. */
export function forEveryOrigin(methods: readonly string[], endpoint: Middleware): Middleware {
  const allowEveryOrigin = cors({ origin: '*', methods: [...methods] });
  const checked = forMethods(methods, endpoint);
  return (req, res, next) => {
    // An earlier middleware has answered and still called `next()`. The headers are already sent.
    if (isAnswered(res)) return;
    allowEveryOrigin(req, res, (error?: unknown) => {
      if (error) next(error);
      else checked(req, res, next);
    });
  };
}

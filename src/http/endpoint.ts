import cors from 'cors';
import { isAnswered } from './answered.js';
import type { Middleware } from './middleware.js';
import { replyMethodNotAllowed } from './reply.js';

/** Answers every method that is not among `methods` with 405. */
export function forMethods(methods: readonly string[], endpoint: Middleware): Middleware {
  return (req, res, next) => {
    if (methods.includes(req.method ?? '')) endpoint(req, res, next);
    else replyMethodNotAllowed(res, methods);
  };
}

/** The same for an endpoint that scripts of every origin may call, without cookies. OPTIONS is answered here. */
export function forEveryOrigin(methods: readonly string[], endpoint: Middleware): Middleware {
  const allowEveryOrigin = cors({ origin: '*', methods: [...methods] });
  const checked = forMethods(methods, endpoint);
  return (req, res, next) => {
    // An earlier middleware has answered, and passed the request on all the same: its headers have left.
    if (isAnswered(res)) return;
    allowEveryOrigin(req, res, (error?: unknown) => {
      if (error) next(error);
      else checked(req, res, next);
    });
  };
}

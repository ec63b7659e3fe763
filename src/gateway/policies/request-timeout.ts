import { isAnswered } from '../../http/answered.js';
import { replyJson } from '../../http/reply.js';
import type { Middleware } from '../../index.js';

const BODY = JSON.stringify({ error: 'timeout', error_description: 'The request took too long' });

/** Ends a request that takes longer: with 504, or by cutting its response off, streams included. */
export function limitTime(ms: number): Middleware {
  return (_req, res, next) => {
    const timer = setTimeout(() => {
      if (isAnswered(res)) res.destroy();
      else replyJson(res, 504, BODY);
    }, ms);
    res.once('close', () => clearTimeout(timer));
    next();
  };
}

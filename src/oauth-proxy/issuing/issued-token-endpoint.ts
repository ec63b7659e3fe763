import type { IncomingMessage, ServerResponse } from 'node:http';
import { replyJson } from '../../http/reply.js';
import { readTokenRequest } from '../token-request.js';
import { NO_STORE } from '../upstream-answer.js';
import { exchangeCode } from './exchange-code.js';
import type { IssuingContext } from './issuing-context.js';
import { createRefresh } from './refresh.js';

/** Creates the token endpoint (RFC 6749, section 3.2) of a server that issues the tokens itself. */
export function createIssuedTokenEndpoint(context: IssuingContext) {
  const refresh = createRefresh(context);
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const request = await readTokenRequest(context, req);
    const answer =
      request.grantType === 'authorization_code' ? await exchangeCode(context, request) : await refresh(request);
    replyJson(res, 200, JSON.stringify(answer), NO_STORE);
  };
}

import type { Advice } from '../../core/advice.js';
import type { HeaderRecord } from '../../targets/http/exchange.js';
import type { AnsweredRequest } from '../../targets/http/response-fault.js';
import type { ResolvedHttp } from './http-options.js';
import type { Relay } from './relay.js';
import { describeCredentials, secretsIn } from './sent-credentials.js';

/** Creates the function that describes for the log the request that a relay has sent. */
export function createAnsweredRequest(options: ResolvedHttp, advice: Advice): (relay: Relay) => AnsweredRequest {
  const { url, requestHeaders } = options;
  return ({ sender, session, request }) => {
    const callerHeaders: HeaderRecord = sender?.headers ?? new Map();
    const credentials = describeCredentials(options, advice, callerHeaders);
    // Further headers of the client may be its own credentials for the target.
    const fromClient = requestHeaders.map((name) => request.req.headers[name]?.toString());
    return { url, credentials, secrets: secretsIn([...callerHeaders.values(), session?.id, ...fromClient]) };
  };
}

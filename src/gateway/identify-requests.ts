import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { runWithFields } from '../core/log-fields.js';
import { takesFields } from '../core/logger.js';
import { asRequestId, REQUEST_ID_HEADER, setRequestId } from '../core/request-id.js';
import type { Logger } from '../index.js';

/**
 * Gives each request an id: the client's `X-Request-Id`, if it is short and printable, or a new one. It is in the answer, in the log
 * lines about the request, and in requests to remote servers.
 */
export function identifyRequests(handle: RequestListener, logger: Logger): RequestListener {
  // On Node 20, fields that follow a request make every promise of the process slower.
  const hasFields = takesFields(logger);
  return (req, res) => {
    const requestId = asRequestId(req.headers[REQUEST_ID_HEADER]) ?? randomUUID();
    setRequestId(req, requestId);
    res.setHeader(REQUEST_ID_HEADER, requestId);
    if (hasFields) runWithFields({ requestId }, () => handle(req, res));
    else handle(req, res);
  };
}

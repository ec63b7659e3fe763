import type { IncomingMessage } from 'node:http';
import { isRecord } from '../../http/json-object.js';
import { isUsableRevision } from '../../targets/http/target-session.js';
import type { RequestBody } from './request-body.js';

/**
 * True for `initialize` as clients write it. Unlike `mayOpenSession()` it says false when in doubt: a call that was refused by mistake
 * would be lost, and one session more does no harm.
 */
export function opensSession(body: RequestBody['body'] | undefined): boolean {
  return initializeIn(body) !== undefined;
}

/**
 * Returns the revision that a request names: in its header, or in `initialize`, where the client only proposes it. The target says in its
 * answer which one it speaks, and answers are not read; the header of the next request says it.
 */
export function revisionOf(req: IncomingMessage, body: RequestBody['body'] | undefined): string | undefined {
  const params = initializeIn(body)?.params;
  const revision = isRecord(params) ? params.protocolVersion : req.headers['mcp-protocol-version'];
  return typeof revision === 'string' && isUsableRevision(revision) ? revision : undefined;
}

function initializeIn(body: RequestBody['body'] | undefined): Record<string, unknown> | undefined {
  if (!Buffer.isBuffer(body) || !body.includes('"initialize"')) return undefined;
  try {
    const message: unknown = JSON.parse(body.toString());
    return [message]
      .flat()
      .filter(isRecord)
      .find(({ method }) => method === 'initialize');
  } catch {
    // It is not JSON, and the target says so.
    return undefined;
  }
}

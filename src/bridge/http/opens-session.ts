import { isRecord } from '../../http/json-object.js';
import type { RequestBody } from './request-body.js';

/**
 * True for `initialize` as clients write it. Unlike `mayOpenSession()` it says false when in doubt: a call that was refused by mistake
 * would be lost, and one session more does no harm.
 */
export function opensSession(body: RequestBody['body'] | undefined): boolean {
  if (!Buffer.isBuffer(body) || !body.includes('"initialize"')) return false;
  try {
    const message: unknown = JSON.parse(body.toString());
    return [message].flat().some((each) => isRecord(each) && each.method === 'initialize');
  } catch {
    // It is not JSON, and the target says so.
    return false;
  }
}

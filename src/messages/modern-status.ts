import { memberOf, textOf } from './json-members.js';
import { membersAt, type RpcMessage } from './json-rpc.js';

// The errors that 2026-07-28 gives a status of their own; every other error is the payload of a 200.
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['-32601', 404],
  ['-32020', 400],
  ['-32021', 400],
  ['-32022', 400],
]);

/** The HTTP status of a response from the child, where it is not part of a stream. */
export function statusOf(response: RpcMessage): number {
  const error = memberOf(response.members, 'error');
  const code = error && memberOf(membersAt(response.bytes, error), 'code');
  return (code && STATUSES.get(textOf(response.bytes, code))) ?? 200;
}

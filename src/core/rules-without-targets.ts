import type { IncomingMessage } from 'node:http';
import { createPerRequestMember } from './per-request.js';
import { shareValue } from './shared-state.js';

const decided = shareValue('rulesWithoutTargets', createPerRequestMember<true>);

/** Notes that an `mcpAuthorization()` without `backend` decided on this request: its rules saw the client's names. */
export function noteRulesWithoutTargets(req: IncomingMessage): void {
  decided.set(req, true);
}

/**
 * True if the rules that decided on this request saw the client's names. A backend with several targets must refuse such a request:
 * to its targets, `a_delete` is `delete`, and a rule about `delete` did not match.
 */
export function hadRulesWithoutTargets(req: IncomingMessage): boolean {
  return decided.get(req) === true;
}

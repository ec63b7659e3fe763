import { printable } from '../core/printable.js';
import { replyJson } from '../http/reply.js';
import type { ReceivedBody, ReceivedCall } from '../messages/calls-in-body.js';
import type { AuthorizationPolicy } from './authorization-middleware.js';
import { type Denial, describeDenial } from './call-authorizer.js';
import { jsonRpcErrorsFor } from './json-rpc-refusal.js';
import { namedThingsIn } from './named-things.js';

/** JSON-RPC's code for invalid params, with which agentgateway answers. */
const UNKNOWN_NAME = -32602;
/** Characters of a name in an answer. */
const MAX_NAME_LENGTH = 200;

/** Returns the function that answers denied calls. */
export function answerRuleDenial(onDenied: 'unknown' | 'challenge'): AuthorizationPolicy['answerDenial'] {
  return ({ req, res, refuse }, body, denial) => {
    const { code, scopes } = denial;
    const answer = onDenied === 'unknown' ? unknownNames(body, denial) : undefined;
    if (answer !== undefined) replyJson(res, 200, answer, { 'cache-control': 'no-store' });
    else if (code === 'missing_token') refuse(req, res, code, { scopes });
    else refuse(req, res, code, { scopes, bodyDescription: describeDenial(denial) });
  };
}

/** Answers as if the tool did not exist: a caller who may not use it need not know of it. */
function unknownNames(body: ReceivedBody, { calls }: Denial): string | undefined {
  return jsonRpcErrorsFor(body, (call) => ({
    code: UNKNOWN_NAME,
    message: calls.includes(call) ? describeUnknown(call) : 'Another call of the batch was refused',
  }));
}

function describeUnknown(call: ReceivedCall): string {
  const [thing] = namedThingsIn(call);
  return `Unknown ${thing?.kind}: ${printable(thing?.name ?? '', MAX_NAME_LENGTH)}`;
}

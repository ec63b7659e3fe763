import { reasonOf } from '../messages/bridge-error.js';
import { memberOf, textOf } from '../messages/json-members.js';
import { membersAt, type RpcMessage } from '../messages/json-rpc.js';
import { MemberFinder } from '../messages/member-finder.js';
import type { CallOutcome } from './call-record.js';
import type { CallEnd, ObservedCall } from './observed-call.js';
import { endOfRefusal } from './outcomes.js';

/** Returns the end of a call that an MCP server has answered with `response`; the client gets `bytes` bytes. */
export function endOfResponse(response: RpcMessage, call: ObservedCall, bytes: number): CallEnd {
  return {
    ...outcomeOf(response, call.start.method),
    bytes,
    result: response.bytes.length <= call.maxResultBytes ? resultOf(response) : undefined,
  };
}

/** Returns the kind of end that the response to a request of `method` is. */
export function outcomeOf(response: RpcMessage, method: string): Pick<CallEnd, 'outcome' | 'code'> {
  if (memberOf(response.members, 'error') === undefined) {
    return { outcome: outcomeOfResult(method, () => saysError(response)) };
  }
  const reason = reasonOf(response.bytes);
  return reason === undefined ? { outcome: 'protocol_error', code: errorCodeOf(response) } : endOfRefusal(reason);
}

/** Returns the kind of end that a result is. A tool says in its result that it failed: other methods have no such member. */
export function outcomeOfResult(method: string, saysError: () => boolean): CallOutcome {
  return method === 'tools/call' && saysError() ? 'tool_error' : 'answered';
}

function errorCodeOf(response: RpcMessage): number | undefined {
  const member = memberOf(membersAt(response, 'error'), 'code');
  const code = member === undefined ? Number.NaN : Number(textOf(response.bytes, member));
  return Number.isInteger(code) ? code : undefined;
}

const members = new MemberFinder(['result', 'result.isError']);
const IS_ERROR = members.numberOf('result.isError');
const TRUE = Buffer.from('true');

function saysError(response: RpcMessage): boolean {
  if (members.find(response.bytes)) {
    const isTrue = members.isWritten(IS_ERROR, TRUE);
    members.release();
    return isTrue;
  }
  const member = memberOf(membersAt(response, 'result'), 'isError');
  return member !== undefined && textOf(response.bytes, member) === 'true';
}

function resultOf(response: RpcMessage): unknown {
  const member = memberOf(response.members, 'result');
  if (member === undefined) return undefined;
  try {
    return JSON.parse(textOf(response.bytes, member));
  } catch {
    // Positions are found by a scan that accepts some texts that are not JSON.
    return undefined;
  }
}

import { BRIDGE_ERRORS, BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { applyEdits, memberOf, textOf } from '../../messages/json-members.js';
import { membersAt, type RpcMessage } from '../../messages/json-rpc.js';
import type { NameKind } from './qualified.js';
import type { Outcome } from './request-ids.js';

const METHOD_NOT_FOUND = '-32601';
const INVALID_PARAMS = -32602;

/** The JSON-RPC code of an error response, as it was written; undefined if the outcome is not an error. */
function errorCodeOf(outcome: Outcome): string | undefined {
  if (typeof outcome === 'string') return undefined;
  const code = memberOf(membersAt(outcome, 'error'), 'code');
  return code && textOf(outcome.bytes, code);
}

/** True for a response that says that the target does not have this method. */
export function isMethodNotFound(outcome: Outcome): boolean {
  return errorCodeOf(outcome) === METHOD_NOT_FOUND;
}

/** True for a response with a result. */
export function isResult(outcome: Outcome): outcome is RpcMessage {
  return typeof outcome !== 'string' && memberOf(outcome.members, 'result') !== undefined;
}

/** Describes for the log why a target gave no result. */
export function describeFault(outcome: Outcome): string {
  return typeof outcome === 'string'
    ? BRIDGE_ERRORS[outcome].message
    : `it answered with error ${errorCodeOf(outcome)}`;
}

/** Builds the response for the client to a request whose target gave no result. */
export function faultResponse(id: string, target: string, outcome: Outcome): Buffer {
  if (typeof outcome === 'string') return failure(id, outcome, target);
  return outcome.idAt === undefined
    ? failure(id, 'unreadable_answer', target)
    : applyEdits(outcome.bytes, [{ ...outcome.idAt, text: id }]);
}

function failure(id: string, reason: BridgeErrorCode, target: string): Buffer {
  return new BridgeError(reason, { id, data: { target } }).response();
}

/** The code for unknown resources before 2026-07-28. */
const RESOURCE_NOT_FOUND = -32002;

/** Builds the response to a request for something that no target has. */
export function notFound(id: string, kind: NameKind, isStateless: boolean): Buffer {
  const code = kind === 'resource' && !isStateless ? RESOURCE_NOT_FOUND : INVALID_PARAMS;
  return errorWith(id, code, `Unknown ${kind}`);
}

/** Builds the response to a request whose parameters cannot be used. */
export function invalidParams(id: string, message: string): Buffer {
  return errorWith(id, INVALID_PARAMS, message);
}

function errorWith(id: string, code: number, message: string): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify({ code, message })}}`);
}

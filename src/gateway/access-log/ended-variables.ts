import type { CallVariables } from '../../authorization/expressions/call-variables.js';
import type { McpBackend } from '../../index.js';
import { targetNoun } from '../../messages/mcp-call.js';
import type { CallRecord } from '../../telemetry/call-record.js';

/** Finds the target of a name, and the target's own name; undefined if the name is not known. */
export type ResolveName = McpBackend['resolve'];

/** Returns the variables of a call that has ended, without those of its request. */
export function endedVariablesOf(record: CallRecord, resolve: ResolveName): Pick<CallVariables, 'mcp' | 'ended'> {
  const { method, name, target, session, outcome, code, durationMs } = record;
  const kind = targetNoun(method);
  const resolved = kind && name !== undefined ? (resolve(kind, name) ?? { target, name }) : undefined;
  return {
    mcp: kind && resolved ? { [kind]: { ...resolved, arguments: undefined } } : {},
    ended: {
      methodName: method,
      sessionId: session,
      outcome,
      code: code === undefined ? undefined : String(code),
      durationMs: BigInt(Math.round(durationMs)),
    },
  };
}

import type { ClientMessage } from '../messages/json-rpc.js';
import { isTargeted, targetMember } from '../messages/mcp-call.js';
import type { CallStart } from './call-tracer.js';

/** Returns the facts about each request among the messages of a client. */
export function callStartsOf(messages: readonly ClientMessage[]): readonly CallStart[] {
  const starts: CallStart[] = [];
  for (const { kind, key, method, params, bytes } of messages) {
    if (kind !== 'request' || key === undefined) continue;
    starts.push({ key, method, name: calledName(method, params), params, bytes: bytes.length });
  }
  return starts;
}

/** Returns the name of the tool or prompt, or the URI of the resource, that a request names. */
export function calledName(method: string, params: Readonly<Record<string, unknown>>): string | undefined {
  const name = isTargeted(method) ? params[targetMember(method) ?? ''] : undefined;
  return typeof name === 'string' ? name : undefined;
}

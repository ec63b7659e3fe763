import { isRecord } from '../http/json-object.js';
import { isAmbiguousName, isReadDifferently, REF_NAMES } from '../messages/known-names.js';
import { type McpCall, type TargetNoun, targetMember, targetNoun } from '../messages/mcp-call.js';
import { isPlainUri } from './plain-uri.js';

/** A tool, prompt, resource or task that a call names. */
export interface NamedThing {
  readonly kind: TargetNoun;
  /** Undefined if the call does not name it in a text that all readers read alike. Such a call is denied. */
  readonly name: string | undefined;
}

/**
 * Returns what rules decide on: what the call names, what a completion is for, and the resources that a subscription listens to. Empty
 * for any other call, which rules do not restrict.
 */
export function namedThingsIn({ method, target, params }: McpCall): readonly NamedThing[] {
  const kind = targetNoun(method);
  if (kind !== undefined) return [thing(kind, target ?? params[targetMember(method) as string])];
  if (method === 'completion/complete') return thingsInReference(params.ref);
  if (method !== 'subscriptions/listen' || !isRecord(params.notifications)) return [];
  const { resourceSubscriptions } = params.notifications;
  return [resourceSubscriptions ?? []].flat().map((uri) => thing('resource', uri));
}

function thingsInReference(ref: unknown): readonly NamedThing[] {
  if (!isRecord(ref)) return [];
  const isAmbiguous = Object.keys(ref).some((name) => isAmbiguousName(name, REF_NAMES));
  const things: NamedThing[] = [];
  if (ref.name !== undefined || isAmbiguous) things.push(thing('prompt', isAmbiguous ? undefined : ref.name));
  if (ref.uri !== undefined || isAmbiguous) things.push(thing('resource', isAmbiguous ? undefined : ref.uri));
  return things;
}

function thing(kind: TargetNoun, name: unknown): NamedThing {
  const isPlain = typeof name === 'string' && !isReadDifferently(name) && (kind !== 'resource' || isPlainUri(name));
  return { kind, name: isPlain ? name : undefined };
}

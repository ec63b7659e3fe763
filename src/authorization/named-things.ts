import { isReadDifferently } from '../messages/known-names.js';
import { type McpCall, type TargetNoun, targetMember, targetNoun } from '../messages/mcp-call.js';
import { isPlainUri } from './plain-uri.js';
import { type Reference, referencesIn } from './references.js';

/** A tool, prompt, resource or task that a call names. */
export interface NamedThing {
  readonly kind: TargetNoun;
  /** Undefined if the call does not name it in a text that all readers read alike. Such a call is denied. */
  readonly name: string | undefined;
}

/**
 * Returns what rules decide on: what the call names, what a completion is for, and the resources and tasks that a subscription listens
 * to. Empty for any other call, which rules do not restrict.
 */
export function namedThingsIn(call: McpCall): readonly NamedThing[] {
  const { method, target, params } = call;
  const kind = targetNoun(method);
  if (kind !== undefined) return [thing({ kind, name: target ?? params[targetMember(method) as string] })];
  return referencesIn(call)?.map(thing) ?? AMBIGUOUS;
}

/** Stands for names that some servers read differently. Such a call is denied. */
const AMBIGUOUS: readonly NamedThing[] = [{ kind: 'resource', name: undefined }];

function thing({ kind, name }: Reference): NamedThing {
  const isPlain = typeof name === 'string' && !isReadDifferently(name) && (kind !== 'resource' || isPlainUri(name));
  return { kind, name: isPlain ? name : undefined };
}

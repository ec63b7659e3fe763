import { isRecord } from '../http/json-object.js';
import { isAmbiguousName, isReadDifferently, REFERRING_NAMES } from '../messages/known-names.js';
import { type McpCall, type TargetNoun, targetMember, targetNoun } from '../messages/mcp-call.js';
import { isPlainUri } from './plain-uri.js';

/** A tool, prompt, resource or task that a call names. */
export interface NamedThing {
  readonly kind: TargetNoun;
  /** Undefined if the call does not name it in a string that all readers read alike. Such a call is denied. */
  readonly name: string | undefined;
}

/**
 * Returns what rules decide on: what the call names, what a completion is for, and the resources and tasks that a subscription listens
 * to. Empty for any other call, which rules do not restrict.
 */
export function namedThingsIn({ method, target, params }: McpCall): readonly NamedThing[] {
  const kind = targetNoun(method);
  if (kind !== undefined) return [thing(kind, target ?? params[targetMember(method) as string])];
  if (method === 'completion/complete') return thingsInReference(params, params.ref);
  return method === 'subscriptions/listen' ? thingsListenedTo(params, params.notifications) : [];
}

/** Stands for names that some servers read differently. Such a call is denied. */
const AMBIGUOUS: readonly NamedThing[] = [{ kind: 'resource', name: undefined }];

function thingsInReference(params: object, ref: unknown): readonly NamedThing[] {
  if (isAmbiguous(params) || isAmbiguous(ref)) return AMBIGUOUS;
  if (!isRecord(ref)) return [];
  const { name, uri } = ref;
  return [
    ...(name === undefined ? [] : [thing('prompt', name)]),
    ...(uri === undefined ? [] : [thing('resource', uri)]),
  ];
}

function thingsListenedTo(params: object, notifications: unknown): readonly NamedThing[] {
  if (isAmbiguous(params) || isAmbiguous(notifications)) return AMBIGUOUS;
  if (!isRecord(notifications)) return [];
  const { resourceSubscriptions: uris = [], taskIds = [] } = notifications;
  return [
    ...[uris ?? []].flat().map((uri) => thing('resource', uri)),
    ...[taskIds ?? []].flat().map((id) => thing('task', id)),
  ];
}

function isAmbiguous(object: unknown): boolean {
  return isRecord(object) && Object.keys(object).some((name) => isAmbiguousName(name, REFERRING_NAMES));
}

function thing(kind: TargetNoun, name: unknown): NamedThing {
  const isPlain = typeof name === 'string' && !isReadDifferently(name) && (kind !== 'resource' || isPlainUri(name));
  return { kind, name: isPlain ? name : undefined };
}

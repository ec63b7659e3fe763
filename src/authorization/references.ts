import { isRecord } from '../http/json-object.js';
import { isAmbiguousName, REFERRING_NAMES } from '../messages/known-names.js';
import type { McpCall, TargetNoun } from '../messages/mcp-call.js';

/** A prompt, resource or task to which a call refers, although its method names none. */
export interface Reference {
  readonly kind: TargetNoun;
  /** As the client wrote it: any value. */
  readonly name: unknown;
}

/**
 * Returns the prompt or resource that a completion is for, or the resources and tasks that a subscription listens to; none for other
 * methods. Undefined if some servers find other references in the call.
 */
export function referencesIn({ method, params }: McpCall): readonly Reference[] | undefined {
  if (method === 'completion/complete') return referencesOfCompletion(params, params.ref);
  return method === 'subscriptions/listen' ? referencesOfSubscription(params, params.notifications) : [];
}

function referencesOfCompletion(params: object, ref: unknown): readonly Reference[] | undefined {
  if (isAmbiguous(params) || isAmbiguous(ref)) return undefined;
  if (!isRecord(ref)) return [];
  const { name, uri } = ref;
  return [
    ...(name === undefined ? [] : [{ kind: 'prompt', name } as const]),
    ...(uri === undefined ? [] : [{ kind: 'resource', name: uri } as const]),
  ];
}

function referencesOfSubscription(params: object, notifications: unknown): readonly Reference[] | undefined {
  if (isAmbiguous(params) || isAmbiguous(notifications)) return undefined;
  if (!isRecord(notifications)) return [];
  const { resourceSubscriptions: uris, taskIds } = notifications;
  return [
    ...[uris ?? []].flat().map((name) => ({ kind: 'resource', name }) as const),
    ...[taskIds ?? []].flat().map((name) => ({ kind: 'task', name }) as const),
  ];
}

function isAmbiguous(object: unknown): boolean {
  return isRecord(object) && Object.keys(object).some((name) => isAmbiguousName(name, REFERRING_NAMES));
}

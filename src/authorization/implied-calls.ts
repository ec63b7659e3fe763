import { usableTarget } from '../messages/calls-in-body.js';
import { type McpCall, type TargetedMethod, type TargetNoun, targetMember } from '../messages/mcp-call.js';
import { type Reference, referencesIn } from './references.js';

/** Characters of all names in one call. Comparing every spelling of more would block the process. */
const MAX_LENGTH = 65_536;

const NONE: readonly McpCall[] = Object.freeze([]);

/**
 * Returns the calls for which a client could otherwise use this one: a completion gives away values of a prompt's arguments or of a
 * resource's URI, and `subscriptions/listen` is `resources/subscribe` in MCP 2026-07-28. If a target cannot be told, it is undefined: rules deny
 * such a call.
 */
export function impliedCalls(call: McpCall): readonly McpCall[] {
  const methods = METHODS.get(call.method);
  if (methods === undefined) return NONE;
  const references = referencesIn(call);
  const implied = references === undefined || lengthOf(references) > MAX_LENGTH ? UNKNOWN : references;
  return implied.flatMap(({ kind, name }) => {
    const method = methods[kind];
    return method === undefined ? [] : [callOf(method, name)];
  });
}

/** Stands for references of which the names cannot be told. */
const UNKNOWN: readonly Reference[] = [
  { kind: 'prompt', name: undefined },
  { kind: 'resource', name: undefined },
];

function lengthOf(references: readonly Reference[]): number {
  return references.reduce((sum, { name }) => sum + (typeof name === 'string' ? name.length : 0), 0);
}

/** For each method with references, the method whose rules hold for a reference of each kind. Tasks have no rules. */
const METHODS: ReadonlyMap<string, { readonly [kind in TargetNoun]?: TargetedMethod }> = new Map([
  ['completion/complete', { prompt: 'prompts/get', resource: 'resources/read' }],
  ['subscriptions/listen', { resource: 'resources/subscribe' }],
]);

function callOf(method: TargetedMethod, name: unknown): McpCall {
  const target = usableTarget(method, name);
  return { method, target, params: target === undefined ? {} : { [targetMember(method) as string]: target } };
}

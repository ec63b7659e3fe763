import { printableAscii } from '../core/printable.js';

/** A client's call, as passed to rules. */
export interface McpCall {
  /** For example `tools/call`. */
  readonly method: string;
  /** The tool's or prompt's name, or the resource's URI; undefined for a method that has neither. */
  readonly target: string | undefined;
  /** As sent. When a list is filtered (`hide`), it contains only the target. */
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * The methods that name a target. `member`: the member of `params` with the name. `noun`: the word for it in a sentence. `inRules`: rules
 * may name it; they cannot name tasks, since each has a new id. `inHeader`: a client of 2026-07-28 must repeat it in `Mcp-Name`
 * (Standard Request Headers; for tasks, SEP-2663).
 */
const TARGETS = {
  'tools/call': { member: 'name', noun: 'tool', inRules: true, inHeader: true },
  'prompts/get': { member: 'name', noun: 'prompt', inRules: true, inHeader: true },
  'resources/read': { member: 'uri', noun: 'resource', inRules: true, inHeader: true },
  'resources/subscribe': { member: 'uri', noun: 'resource', inRules: true, inHeader: false },
  'resources/unsubscribe': { member: 'uri', noun: 'resource', inRules: true, inHeader: false },
  'tasks/get': { member: 'taskId', noun: 'task', inRules: false, inHeader: true },
  'tasks/update': { member: 'taskId', noun: 'task', inRules: false, inHeader: true },
  'tasks/result': { member: 'taskId', noun: 'task', inRules: false, inHeader: false },
  'tasks/cancel': { member: 'taskId', noun: 'task', inRules: false, inHeader: true },
} as const;

type NamingMethod = keyof typeof TARGETS;
type TargetMember = (typeof TARGETS)[NamingMethod]['member'];

/** A method that may have rules by target. */
export type TargetedMethod = {
  [M in NamingMethod]: (typeof TARGETS)[M]['inRules'] extends true ? M : never;
}[NamingMethod];

/** Every member of `params` that names a target. */
export const TARGET_MEMBERS: readonly TargetMember[] = [...new Set(Object.values(TARGETS).map(({ member }) => member))];

/** The request methods of MCP. */
export const METHODS: readonly string[] = [
  ...['initialize', 'ping', 'server/discover', 'logging/setLevel', 'completion/complete'],
  ...['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'tasks/list', 'subscriptions/listen'],
  ...Object.keys(TARGETS),
];

/** Returns the member of `params` that names the target; undefined for a method without a target. */
export function targetMember(method: string): TargetMember | undefined {
  return targetOf(method)?.member;
}

/** True if a client of 2026-07-28 must repeat the target in `Mcp-Name`. False if the body does not name one. */
export function needsNameHeader({ method, params }: Pick<McpCall, 'method' | 'params'>): boolean {
  const target = targetOf(method);
  return target?.inHeader === true && typeof params[target.member] === 'string';
}

/** True if the method may have rules by target. */
export function isTargeted(method: string): method is TargetedMethod {
  return targetOf(method)?.inRules === true;
}

/** The word for a method's target. */
export type TargetNoun = (typeof TARGETS)[NamingMethod]['noun'];

/** Returns what the method names: a tool, prompt, resource or task. Undefined for a method without a target. */
export function targetNoun(method: string): TargetNoun | undefined {
  return targetOf(method)?.noun;
}

function targetOf(method: string): (typeof TARGETS)[NamingMethod] | undefined {
  return Object.hasOwn(TARGETS, method) ? TARGETS[method as NamingMethod] : undefined;
}

/** Describes a call within a sentence, for example `the tool delete_file`. The name is cut and made printable. */
export function describeCall({ method, target }: McpCall): string {
  return isTargeted(method) && target !== undefined
    ? `the ${TARGETS[method].noun} ${printableAscii(target, MAX_NAME_LENGTH)}`
    : `the method ${printableAscii(method, MAX_NAME_LENGTH)}`;
}

/** Characters of a name within a sentence. */
const MAX_NAME_LENGTH = 100;

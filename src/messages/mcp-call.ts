import { printableAscii } from '../core/printable.js';

/** The call of a client, as rules see it. */
export interface McpCall {
  /** For example `tools/call`. */
  readonly method: string;
  /** The tool's or prompt's name, or the resource's URI; undefined for a method that has neither. */
  readonly target: string | undefined;
  /** As sent. Where a list is filtered (`hide`), nothing but the target itself is known. */
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * The methods that name what they are about: in which member of `params`, what it is called in a sentence, whether rules are
 * told apart by it, and whether a client of 2026-07-28 must repeat it in `Mcp-Name` (Standard Request Headers; for tasks,
 * SEP-2663). Rules do not name tasks, since a server draws a new id for each.
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

/** A method whose rules may be told apart by target. */
export type TargetedMethod = {
  [M in NamingMethod]: (typeof TARGETS)[M]['inRules'] extends true ? M : never;
}[NamingMethod];

/** Every member of `params` that names a target. */
export const TARGET_MEMBERS: readonly TargetMember[] = [...new Set(Object.values(TARGETS).map(({ member }) => member))];

/** The requests of MCP. */
export const METHODS: readonly string[] = [
  ...['initialize', 'ping', 'server/discover', 'logging/setLevel', 'completion/complete'],
  ...['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'tasks/list', 'subscriptions/listen'],
  ...Object.keys(TARGETS),
];

/** The member of `params` that names the target; undefined for a method without one. */
export function targetMember(method: string): TargetMember | undefined {
  return targetOf(method)?.member;
}

/** True if a client of 2026-07-28 must repeat the target in `Mcp-Name`: where the body names none, no header can. */
export function needsNameHeader({ method, params }: Pick<McpCall, 'method' | 'params'>): boolean {
  const target = targetOf(method);
  return target?.inHeader === true && typeof params[target.member] === 'string';
}

/** True if rules may tell its calls apart by target. */
export function isTargeted(method: string): method is TargetedMethod {
  return targetOf(method)?.inRules === true;
}

function targetOf(method: string): (typeof TARGETS)[NamingMethod] | undefined {
  return Object.hasOwn(TARGETS, method) ? TARGETS[method as NamingMethod] : undefined;
}

/** For a sentence: `the tool delete_file`. What a client sent is cut, and made printable. */
export function describeCall({ method, target }: McpCall): string {
  return isTargeted(method) && target !== undefined
    ? `the ${TARGETS[method].noun} ${printableAscii(target, MAX_NAME)}`
    : `the method ${printableAscii(method, MAX_NAME)}`;
}

/** Characters. */
const MAX_NAME = 100;

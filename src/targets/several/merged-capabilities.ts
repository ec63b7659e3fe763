import { isRecord } from '../../http/json-object.js';

const MAX_LEVELS = 16;

/** Merges the capabilities of several servers: a capability of one of them is a capability of the whole. */
export function mergeCapabilities(list: readonly unknown[]): Readonly<Record<string, unknown>> {
  return list.filter(isRecord).reduce((merged, next) => merge(merged, next, 0), {});
}

function merge(one: Record<string, unknown>, other: Record<string, unknown>, level: number): Record<string, unknown> {
  const merged = new Map(Object.entries(one));
  for (const [name, value] of Object.entries(other)) merged.set(name, mergeValue(merged.get(name), value, level));
  return Object.fromEntries(merged);
}

function mergeValue(one: unknown, other: unknown, level: number): unknown {
  if (isRecord(one) && isRecord(other)) return level < MAX_LEVELS ? merge(one, other, level + 1) : one;
  if (Array.isArray(one) && Array.isArray(other)) return [...new Set([...one, ...other])];
  // `true` wins over `false`, and any value over none.
  return one === undefined || one === null || one === false ? other : one;
}

/** The capabilities that are looked up after a conversation was opened. Servers may announce anything, and this is kept for each client. */
const USED = ['tools', 'prompts', 'resources', 'tasks', 'logging', 'completions'] as const;

/** Returns what is kept of the capabilities that a server announces. */
export function keptCapabilities(capabilities: unknown): Readonly<Record<string, { readonly listChanged: boolean }>> {
  if (!isRecord(capabilities)) return {};
  const entries = USED.flatMap((name) => {
    const announced = capabilities[name];
    const listChanged = isRecord(announced) && announced.listChanged === true;
    return announced === undefined ? [] : [[name, { listChanged }] as const];
  });
  return Object.fromEntries(entries);
}

/** Joins instructions under a heading for each target. Undefined if no target has any. */
export function joinInstructions(instructions: ReadonlyMap<string, unknown>): string | undefined {
  const sections = [...instructions].flatMap(([target, text]) =>
    typeof text === 'string' && text !== '' ? [`# ${target}\n\n${text}`] : [],
  );
  return sections.length === 0 ? undefined : sections.join('\n\n');
}

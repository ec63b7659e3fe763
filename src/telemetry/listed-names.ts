import { shareValue } from '../core/shared-state.js';
import { isRecord } from '../http/json-object.js';
import { isReadDifferently } from '../messages/known-names.js';
import { targetNoun } from '../messages/mcp-call.js';
import { listsNames, NAME_LISTS } from '../messages/name-lists.js';
import type { CallRecord } from './call-record.js';

/** Stands for every name in a metric that no MCP server has listed: clients choose names, and each would be a new series. */
export const OTHER = '_other';

/** Names of one kind on one route. Later ones are {@link OTHER}. */
const MAX_NAMES = 1_000;
const MAX_NAME_LENGTH = 200;
/** Sets of names. In an application, clients can choose the path that names a route. */
const MAX_SETS = 1_000;

/** The longest answer with a list that is read for its names, in bytes. */
export const MAX_LIST_BYTES = 1_048_576;

/** The names, by kind and route, shared by all copies of the package in a process. Lists are read only once something needs the names. */
const listed: { isNeeded: boolean; readonly names: Map<string, Set<string>> } = shareValue('listedNames', () => ({
  isNeeded: false,
  names: new Map(),
}));

/** From now on, the names in the answers to requests for lists are remembered. */
export function startLearningNames(): void {
  listed.isNeeded = true;
}

/** True if the result of the answer to this request is needed, for the names in it. */
export function hasNamesToLearn(method: string): boolean {
  return listed.isNeeded && listsNames(method);
}

/**
 * Remembers the names in the answer to a request for a list.
 *
 * @param result Parsed.
 */
export function learnNames(route: string, method: string, result: unknown): void {
  if (!listsNames(method) || !isRecord(result)) return;
  const { member, name, kind } = NAME_LISTS[method];
  const entries = result[member];
  const names = Array.isArray(entries) ? namesFor(kind, route) : undefined;
  if (names === undefined) return;
  for (const entry of entries as readonly unknown[]) {
    if (names.size >= MAX_NAMES) return;
    const value = isRecord(entry) ? entry[name] : undefined;
    if (typeof value === 'string' && isUsable(value)) names.add(value);
  }
}

/** Returns the name of a call if an MCP server of its route has listed it, {@link OTHER} if not, and undefined if the call has no name. */
export function listedName({ route, method, name }: Pick<CallRecord, 'route' | 'method' | 'name'>) {
  if (name === undefined) return undefined;
  const kind = targetNoun(method);
  const isListed = kind !== undefined && listed.names.get(keyFor(kind, route))?.has(name);
  return isListed ? name : OTHER;
}

function namesFor(kind: string, route: string): Set<string> | undefined {
  const key = keyFor(kind, route);
  const known = listed.names.get(key);
  if (known !== undefined || listed.names.size >= MAX_SETS) return known;
  const names = new Set<string>();
  listed.names.set(key, names);
  return names;
}

function keyFor(kind: string, route: string): string {
  return `${kind} ${route}`;
}

/** Two names with half a surrogate pair each would become the same bytes. */
function isUsable(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && !isReadDifferently(name);
}

import { isRecord } from '../../http/json-object.js';
import { memberOf, textOf } from '../../messages/json-members.js';
import type { RpcMessage } from '../../messages/json-rpc.js';
import { parseStrictJson } from '../../messages/strict-json.js';
import type { Conversation } from './conversation.js';
import type { Directory } from './directory.js';
import type { NamedTarget } from './named-target.js';
import { paramsOf } from './params.js';

/** The events that a client subscribes to (`SubscriptionFilter` of MCP): flags, and lists of URIs and ids. */
export type Filter = Readonly<Record<string, unknown>>;

/** The members of a filter that name something of one target. */
const NAMED = { resourceSubscriptions: 'resource', taskIds: 'task' } as const;

/**
 * Gives each target its part of a filter: every flag, and its own URIs and ids. A URI or an id of no target is left out, and so the client does not find
 * it in the acknowledgement. Undefined if nothing else is in the filter.
 */
export function splitFilter(
  filter: Filter,
  { directory, group }: Pick<Conversation, 'directory' | 'group'>,
): ReadonlyMap<NamedTarget, Filter> | undefined {
  const flags = Object.fromEntries(Object.entries(filter).filter(([, value]) => !Array.isArray(value)));
  const wantsAll = Object.values(flags).includes(true);
  const parts = new Map<NamedTarget, Record<string, string[]>>();
  let isCut = false;
  for (const [member, kind] of Object.entries(NAMED)) {
    for (const name of listIn(filter, member)) {
      const found = directory.resolve(kind, name);
      const target = found && group.named(found.target);
      if (target === undefined) {
        isCut = true;
        continue;
      }
      const part = parts.get(target) ?? {};
      part[member] = [...(part[member] ?? []), found?.name ?? name];
      parts.set(target, part);
    }
  }
  if (isCut && !wantsAll && parts.size === 0) return undefined;
  const concerned = wantsAll || parts.size === 0 ? group.all : group.all.filter((target) => parts.has(target));
  return new Map(concerned.map((target) => [target, { ...flags, ...parts.get(target) }]));
}

/** Joins the filters that targets have accepted, in the names that clients use. */
export function joinFilters(acknowledged: ReadonlyMap<NamedTarget, Filter>, directory: Directory): Filter {
  const joined = new Map<string, unknown>();
  for (const [{ name: target }, filter] of acknowledged) {
    for (const [member, value] of Object.entries(filter)) {
      const kind = NAMED[member as keyof typeof NAMED];
      if (kind === undefined) joined.set(member, joined.get(member) === true || value);
      else {
        const names = listIn(filter, member).map((name) => directory.toClient(kind, target, name));
        joined.set(member, [...((joined.get(member) as unknown[] | undefined) ?? []), ...names]);
      }
    }
  }
  return Object.fromEntries(joined);
}

/** Reads the filter of a message. Undefined if it has none, or one that parsers could read differently. */
export function filterOf(message: RpcMessage): Filter | undefined {
  const member = memberOf(paramsOf(message), 'notifications');
  try {
    const value = member && parseStrictJson(textOf(message.bytes, member));
    return isRecord(value) ? value : undefined;
  } catch {
    // Two members of one name, or too many levels.
    return undefined;
  }
}

function listIn(filter: Filter, member: string): readonly string[] {
  const list = filter[member];
  return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
}

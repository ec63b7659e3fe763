import { isRecord } from '../http/json-object.js';
import {
  applyEdits,
  type Edit,
  type JsonMembers,
  memberOf,
  readElements,
  readMembers,
} from '../messages/json-members.js';
import type { McpCall } from '../messages/mcp-call.js';
import { NAME_LISTS } from '../messages/name-lists.js';
import { parseStrictJson } from '../messages/strict-json.js';

/** The calls that the entries of a list are for. */
const CALLS = { tool: 'tools/call', prompt: 'prompts/get', resource: 'resources/read' } as const;
const LISTS = Object.values(NAME_LISTS);

export const LIST_METHODS: ReadonlySet<string> = new Set(Object.keys(NAME_LISTS));

/** Thrown for an answer that may contain a list but cannot be read as one JSON text. `message` says why. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';
}

type Allows = (call: McpCall) => boolean;

/** The members of results by which caches decide, in MCP 2026-07-28. */
const SCOPE = 'cacheScope';
const LIFETIME = 'ttlMs';
const CHANGED_MEMBERS = [...LISTS.map(({ member }) => member), SCOPE, LIFETIME];

/**
 * Returns the JSON text of a message or a batch without the list entries that the caller may not use, and with results that no cache may give
 * to another caller. Everything else is returned as it is written: numbers that JavaScript rounds are the client's ids, or bounds in a schema. A
 * text in which there is nothing to change, however it is read, is returned unchanged.
 *
 * @param allows Undefined if lists keep all entries.
 * @throws {UnreadableAnswer}
 */
export function filterLists(text: string, allows: Allows | undefined): string {
  // Read as UTF-16, it may be a different text.
  if (text.includes('\0')) throw new UnreadableAnswer('it contains the character NUL');
  // A name may be written with `\u` escapes.
  if (!text.includes('\\u') && !CHANGED_MEMBERS.some((member) => text.includes(`"${member}"`))) return text;
  // A client's `fetch` skips a byte order mark, but `JSON.parse` refuses it.
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  const message = parse(text.slice(mark.length));
  const changes = [message].flat().map((item) => changesOf((item as { result?: unknown } | null)?.result, allows));
  if (changes.every(({ size }) => size === 0)) return text;
  const bytes = Buffer.from(text);
  const at = Buffer.byteLength(mark);
  const starts = Array.isArray(message) ? found(readElements(bytes, at)).map(({ start }) => start) : [at];
  return applyEdits(
    bytes,
    starts.flatMap((start, i) => editsOf(bytes, start, found(changes[i]))),
  ).toString();
}

function parse(text: string): unknown {
  try {
    return parseStrictJson(text);
  } catch {
    // A client may still read a list in it, for example if each line is a JSON text.
    throw new UnreadableAnswer('it is not one JSON text without duplicate names');
  }
}

/** The members of a result that the client gets otherwise. For a list: whether each entry is shown. For another member: the JSON text of its new value. */
type Changes = ReadonlyMap<string, readonly boolean[] | string>;

function changesOf(result: unknown, allows: Allows | undefined): Changes {
  const changes = new Map<string, readonly boolean[] | string>();
  if (!isRecord(result)) return changes;
  for (const { member: list, name: member, kind } of LISTS) {
    const entries = result[list];
    if (allows === undefined || !Array.isArray(entries)) continue;
    const shown = entries.map((entry: unknown) => {
      const target = isRecord(entry) ? entry[member] : undefined;
      return typeof target === 'string' && allows({ method: CALLS[kind], target, params: { [member]: target } });
    });
    if (shown.includes(false)) changes.set(list, shown);
  }
  // MCP 2026-07-28: a cache must not give this caller's result to another caller. Some clients take a missing scope for "public".
  const isForCaches = result[SCOPE] !== undefined || result[LIFETIME] !== undefined;
  if (isForCaches && result[SCOPE] !== 'private') changes.set(SCOPE, '"private"');
  return changes;
}

function editsOf(bytes: Buffer, start: number, changes: Changes): Edit[] {
  if (changes.size === 0) return [];
  const result = readMembers(bytes, found(memberOf(readMembers(bytes, start), 'result')).start);
  return [...changes].map(([name, change]) => {
    const member = memberOf(result, name);
    if (member === undefined && name === SCOPE) return addedScope(result);
    const { start: from, end } = found(member);
    return { start: from, end, text: typeof change === 'string' ? change : entriesText(bytes, from, change) };
  });
}

function addedScope(result: JsonMembers | undefined): Edit {
  const { keyStart } = found(memberOf(result, LIFETIME));
  return { start: keyStart, end: keyStart, text: `"${SCOPE}":"private",` };
}

function entriesText(bytes: Buffer, start: number, shown: readonly boolean[]): string {
  const entries = found(readElements(bytes, start)).filter((_entry, i) => shown[i]);
  return `[${entries.map((entry) => bytes.toString('utf8', entry.start, entry.end)).join(',')}]`;
}

/** The text has been parsed, so everything is found in it. Otherwise the answer must not pass. */
function found<T>(value: T | undefined): T {
  if (value === undefined) throw new UnreadableAnswer('its members cannot be found');
  return value;
}

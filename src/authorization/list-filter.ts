import { isRecord } from '../http/json-object.js';
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

/**
 * Returns the JSON text of a message or a batch without the list entries that the caller may not use. A text that contains no
 * list, however it is read, is returned unchanged.
 *
 * @throws {UnreadableAnswer}
 */
export function filterLists(text: string, allows: (call: McpCall) => boolean): string {
  // Read as UTF-16, it may be a different text.
  if (text.includes('\0')) throw new UnreadableAnswer('it contains the character NUL');
  // A name may be written with `\u` escapes.
  if (!text.includes('\\u') && !LISTS.some(({ member }) => text.includes(`"${member}"`))) return text;
  let message: unknown;
  try {
    // A client's `fetch` skips a byte order mark, but `JSON.parse` refuses it.
    message = parseStrictJson(text.replace(/^\ufeff/, ''));
  } catch {
    // A client may still read a list in it, for example if each line is a JSON text.
    throw new UnreadableAnswer('it is not one JSON text without duplicate names');
  }
  const results = [message].flat().map((item) => (item as { result?: unknown } | null)?.result);
  const changed = results.filter((result) => isRecord(result) && hideFromResult(result, allows));
  return changed.length > 0 ? JSON.stringify(message) : text;
}

function hideFromResult(result: Record<string, unknown>, allows: (call: McpCall) => boolean): boolean {
  let isList = false;
  for (const { member: list, name: member, kind } of LISTS) {
    const entries = result[list];
    if (!Array.isArray(entries)) continue;
    isList = true;
    result[list] = entries.filter((entry: unknown) => {
      const target = isRecord(entry) ? entry[member] : undefined;
      return typeof target === 'string' && allows({ method: CALLS[kind], target, params: { [member]: target } });
    });
  }
  // MCP 2026-07-28: a cache must not show this caller's list to another caller.
  if (isList && result.cacheScope !== undefined) result.cacheScope = 'private';
  return isList;
}

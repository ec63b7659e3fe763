import { isRecord } from '../http/json-object.js';
import type { McpCall } from '../messages/mcp-call.js';
import { parseStrictJson } from '../messages/strict-json.js';

/** For each list answer: its member, the request that it answers, and the call that each entry invites to. */
const LISTS = {
  tools: { list: 'tools/list', method: 'tools/call', member: 'name' },
  prompts: { list: 'prompts/list', method: 'prompts/get', member: 'name' },
  resources: { list: 'resources/list', method: 'resources/read', member: 'uri' },
  resourceTemplates: { list: 'resources/templates/list', method: 'resources/read', member: 'uriTemplate' },
} as const;

export const LIST_METHODS: ReadonlySet<string> = new Set(Object.values(LISTS).map(({ list }) => list));

/** An answer that may hold a list, and that cannot be read as one JSON text. `message` says why. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';
}

/**
 * The JSON text of one message or a batch, without the entries that the caller may not use; the same text where nothing
 * has to change, and where it holds no list however it is read.
 *
 * @throws {UnreadableAnswer}
 */
export function filterLists(text: string, allows: (call: McpCall) => boolean): string {
  // As UTF-16 it may be another text.
  if (text.includes('\0')) throw new UnreadableAnswer('it holds the character NUL');
  // A name may be written in escapes.
  if (!text.includes('\\u') && !Object.keys(LISTS).some((name) => text.includes(`"${name}"`))) return text;
  let message: unknown;
  try {
    // `fetch` in a client overlooks a byte order mark, `JSON.parse` does not.
    message = parseStrictJson(text.replace(/^\ufeff/, ''));
  } catch {
    // A client may make something of it all the same, for example of one text in each line.
    throw new UnreadableAnswer('it is not one JSON text with each name once');
  }
  const results = [message].flat().map((item) => (item as { result?: unknown } | null)?.result);
  const changed = results.filter((result) => isRecord(result) && hideFromResult(result, allows));
  return changed.length > 0 ? JSON.stringify(message) : text;
}

function hideFromResult(result: Record<string, unknown>, allows: (call: McpCall) => boolean): boolean {
  let isList = false;
  for (const [name, { method, member }] of Object.entries(LISTS)) {
    const entries = result[name];
    if (!Array.isArray(entries)) continue;
    isList = true;
    result[name] = entries.filter((entry: unknown) => {
      const target = isRecord(entry) ? entry[member] : undefined;
      return typeof target === 'string' && allows({ method, target, params: { [member]: target } });
    });
  }
  // MCP 2026-07-28: what this caller may see is not for the next one.
  if (isList && result.cacheScope !== undefined) result.cacheScope = 'private';
  return isList;
}

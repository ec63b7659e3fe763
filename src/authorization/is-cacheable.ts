import type { IncomingMessage } from 'node:http';
import { isRecord } from '../http/json-object.js';
import { type McpCall, METHODS } from '../messages/mcp-call.js';
import { NAME_LISTS } from '../messages/name-lists.js';
import { namesStatelessRevision, VERSION_KEY } from '../messages/revision.js';

/** The methods with results that caches may keep (MCP 2026-07-28, Caching). */
const CACHEABLE: ReadonlySet<string> = new Set([...Object.keys(NAME_LISTS), 'resources/read', 'server/discover']);
const OTHERS: ReadonlySet<string> = new Set(METHODS.filter((method) => !CACHEABLE.has(method)));

/**
 * True if the result of a call may say that a cache may keep it: since 2026-07-28, and for a method that has such results. A method of an
 * extension may have them.
 */
export function isCacheable(req: IncomingMessage, { method, params: { _meta } }: McpCall): boolean {
  if (OTHERS.has(method)) return false;
  return namesStatelessRevision(req) || (isRecord(_meta) && _meta[VERSION_KEY] !== undefined);
}

import type { RpcMessage } from '../../messages/json-rpc.js';
import type { Directory } from './directory.js';
import { type CacheHints, joinEntries, LISTS, type ListMethod, type ListPage } from './list-pages.js';
import type { ToolPins } from './pins.js';
import { responseOf } from './response-ids.js';

/** Returns the entries of a page as clients see them, without those that they may not, as they stand between the brackets of a list. */
export function shownEntries(
  method: ListMethod,
  { target, entries, joined }: ListPage,
  directory: Directory,
  pins: ToolPins | undefined,
): Buffer {
  const { kind } = LISTS[method];
  const shown = kind === 'tool' ? pins?.check(target, entries) : undefined;
  if (shown === undefined && !directory.needsLists) return joined;
  const visible = entries.filter(({ name }, index) => {
    return shown?.[index] !== false && directory.toClient(kind, target, name) !== undefined;
  });
  return visible.length === entries.length ? joined : joinEntries(visible.map(({ bytes }) => bytes));
}

/** Builds the response of which the entries of all targets are one list. */
export function listResponse(
  id: string,
  method: ListMethod,
  pages: readonly ListPage[],
  entries: readonly Buffer[],
  nextCursor: string | undefined,
): RpcMessage {
  const more = { ...mergeHints(pages.map(({ hints }) => hints)), ...(nextCursor !== undefined && { nextCursor }) };
  const rest = JSON.stringify(more).slice(1);
  const comma = Buffer.from(',');
  const list = entries
    .filter(({ length }) => length > 0)
    .flatMap((each, index) => (index === 0 ? [each] : [comma, each]));
  const head = Buffer.from(`{"${LISTS[method].member}":[`);
  return responseOf(id, [head, ...list, Buffer.from(`]${rest === '}' ? '' : ','}${rest}`)]);
}

/** What 2026-07-28 says of every list: the shortest time, and private if one target says so. Empty in revisions before. */
export function mergeHints(hints: readonly CacheHints[]): CacheHints {
  if (!hints.some(({ resultType, ttlMs }) => resultType !== undefined || ttlMs !== undefined)) return {};
  const times = hints.map(({ ttlMs }) => (typeof ttlMs === 'number' ? ttlMs : 0));
  const isPublic = hints.every(({ cacheScope }) => cacheScope === 'public');
  return { resultType: 'complete', ttlMs: Math.min(...times), cacheScope: isPublic ? 'public' : 'private' };
}

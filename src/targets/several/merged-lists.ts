import type { RpcMessage } from '../../messages/json-rpc.js';
import { joinCursors } from './cursors.js';
import type { Directory } from './directory.js';
import { type CacheHints, joinEntries, LISTS, type ListMethod, type ListPage } from './list-pages.js';
import type { ToolPins } from './pins.js';
import { responseOf } from './response-ids.js';

/** Returns the entries of a page that clients may see, joined by commas. */
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

/** Builds the response with the entries of all targets in one list. `pages` are those after which there may be others. */
export function listResponse(
  id: string,
  method: ListMethod,
  entries: readonly Buffer[],
  hints: CacheHints,
  pages: readonly ListPage[],
): RpcMessage {
  const next = pages.flatMap(({ target, nextCursor }) =>
    nextCursor === undefined ? [] : [[target, nextCursor] as const],
  );
  const nextCursor = joinCursors({ pages: new Map(next), isPrivate: hints.cacheScope === 'private' });
  const more = { ...hints, ...(nextCursor !== undefined && { nextCursor }) };
  const rest = JSON.stringify(more).slice(1);
  const comma = Buffer.from(',');
  const list = entries
    .filter(({ length }) => length > 0)
    .flatMap((each, index) => (index === 0 ? [each] : [comma, each]));
  const head = Buffer.from(`{"${LISTS[method].member}":[`);
  return responseOf(id, [head, ...list, Buffer.from(`]${rest === '}' ? '' : ','}${rest}`)]);
}

/**
 * Merges the cache hints of 2026-07-28: the shortest time, and private unless every list is public. Empty in older revisions.
 *
 * @param isComplete False if a target that was asked is missing. Clients must not keep such an answer: the target may be back the next time.
 * @param isPrivate True for a page after a private one.
 */
export function mergeHints(hints: readonly CacheHints[], isComplete: boolean, isPrivate = false): CacheHints {
  if (!hints.some(({ resultType, ttlMs }) => resultType !== undefined || ttlMs !== undefined)) return {};
  if (!isComplete) return { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
  const times = hints.map(({ ttlMs }) => (typeof ttlMs === 'number' ? ttlMs : 0));
  const isPublic = !isPrivate && hints.every(({ cacheScope }) => cacheScope === 'public');
  return { resultType: 'complete', ttlMs: Math.min(...times), cacheScope: isPublic ? 'public' : 'private' };
}

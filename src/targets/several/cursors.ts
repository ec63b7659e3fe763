import { isRecord } from '../../http/json-object.js';

/** The content of a cursor. */
export interface Cursors {
  /** The next page of each target that has one; undefined is the first page. */
  readonly pages: ReadonlyMap<string, string | undefined>;
  /** True if a page before it was private: then all after it are (2026-07-28, Caching). */
  readonly isPrivate: boolean;
}

/** No target has this name. */
const PRIVATE = '*';

/** Joins the cursors of several targets into one. This server remembers nothing about it, so it stays valid after a restart. */
export function joinCursors({ pages, isPrivate }: Cursors): string | undefined {
  if (pages.size === 0) return undefined;
  const cursor = { ...Object.fromEntries(pages), ...(isPrivate && { [PRIVATE]: null }) };
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/** The joined cursor of the first page of one target. */
export function cursorOfFirstPage(target: string): string {
  return Buffer.from(JSON.stringify({ [target]: null })).toString('base64url');
}

/** Takes a joined cursor apart. Undefined if it is not one for these targets. */
export function splitCursors(cursor: string, targets: ReadonlySet<string>): Cursors | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    // The client sent something else.
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { [PRIVATE]: mark, ...pages } = value;
  const entries = Object.entries(pages).map(([target, cursor]) => [target, cursor ?? undefined] as const);
  const isWhole = entries.length > 0 && entries.every(([target, each]) => targets.has(target) && isCursor(each));
  if (!isWhole) return undefined;
  return { pages: new Map(entries as [string, string | undefined][]), isPrivate: mark !== undefined };
}

function isCursor(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

import { isRecord } from '../../http/json-object.js';

/** The next page of each target that has one; undefined is the first page. */
export type Cursors = ReadonlyMap<string, string | undefined>;

/** Joins the cursors of several targets into one. This server remembers nothing about it, so it stays valid after a restart. */
export function joinCursors(cursors: Cursors): string | undefined {
  if (cursors.size === 0) return undefined;
  return Buffer.from(JSON.stringify(Object.fromEntries(cursors))).toString('base64url');
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
  const entries = Object.entries(value).map(([target, cursor]) => [target, cursor ?? undefined] as const);
  const isWhole = entries.length > 0 && entries.every(([target, each]) => targets.has(target) && isCursor(each));
  return isWhole ? new Map(entries as [string, string | undefined][]) : undefined;
}

function isCursor(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

import { isRecord } from '../../http/json-object.js';

/** The next page of each target that has one. */
export type Cursors = ReadonlyMap<string, string>;

/** Joins the cursors of several targets to one. It holds all that is needed, so it outlives connections and processes. */
export function joinCursors(cursors: Cursors): string | undefined {
  if (cursors.size === 0) return undefined;
  return Buffer.from(JSON.stringify(Object.fromEntries(cursors))).toString('base64url');
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
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const isWhole = entries.length > 0 && entries.length === Object.keys(value).length;
  return isWhole && entries.every(([target]) => targets.has(target)) ? new Map(entries) : undefined;
}

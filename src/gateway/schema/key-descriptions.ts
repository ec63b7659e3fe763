import type { Member } from '../../options/value-type.js';
import { everyMapping, keyAt, WHOLE_FILE } from './mappings.js';

/** A row of a table in docs/: a key or an option. */
export interface DocumentedKey {
  readonly key: string;
  readonly type: string;
  readonly default: string;
  readonly text: string;
}

/** A table of keys or options in docs/. */
export interface DocumentedTable {
  /** The heading above it. */
  readonly heading: string;
  /** The mapping that has these keys: the head of the first column. */
  readonly mapping: string;
  readonly rows: readonly DocumentedKey[];
}

const TABLE =
  /^(?:#+ (?<heading>.*)|\| (?<mapping>[^|]+) \| type \| default \| \|\n\|---\|---\|---\|---\|\n(?<rows>(?:\|.*\n)*))/gm;
const ROW = /^\| `([\w.]+)` \|((?:[^|\\]|\\.)*)\|((?:[^|\\]|\\.)*)\|((?:[^|\\]|\\.)*)\|$/gm;

/** Reads the tables of a page. */
export function readKeyTables(page: string): readonly DocumentedTable[] {
  let heading = '';
  return [...page.matchAll(TABLE)].flatMap(({ groups = {} }) => {
    heading = groups.heading ?? heading;
    if (groups.rows === undefined) return [];
    return [{ heading, mapping: groups.mapping ?? '', rows: readRows(groups.rows) }];
  });
}

function readRows(rows: string): readonly DocumentedKey[] {
  return [...rows.matchAll(ROW)].map(([, key = '', type = '', fallback = '', text = '']) => ({
    key,
    type: type.trim(),
    default: fallback.trim(),
    text: text.trim(),
  }));
}

const BACKENDS = ['mcpBackend()', 'mcpStdioBackend()', 'mcpHttpBackend()'];

/** The headings of docs/options.md with the options that a mapping has under their own names. */
const OPTION_HEADINGS: Readonly<Record<string, readonly string[]>> = {
  mcpAuthentication: ['mcpAuth() and protectedResourceMetadata()', 'The OAuth proxy', 'Identity providers'],
  mcpScopes: ['mcpScopes()'],
  mcpAuthorization: ['mcpAuthorization()'],
  servers: BACKENDS,
  stdio: BACKENDS,
  remote: BACKENDS,
};

/** Finds the option of docs/options.md that a key of a mapping is. */
export function findOption(
  options: readonly DocumentedTable[],
  mapping: string,
  key: string,
): DocumentedKey | undefined {
  const headings = OPTION_HEADINGS[mapping] ?? [];
  const tables = headings.flatMap((heading) => options.filter((table) => table.heading === heading));
  return tables.flatMap(({ rows }) => rows).find((row) => row.key === key);
}

/**
 * Reads from the documentation what each key means.
 *
 * @param command The text of docs/command.md.
 * @param options The text of docs/options.md.
 */
export function readKeyDescriptions(command: string, options: string): ReadonlyMap<Member, string> {
  const mappings = everyMapping(WHOLE_FILE);
  const optionTables = readKeyTables(options);
  const descriptions = new Map<Member, string>();
  for (const { mapping, rows } of readKeyTables(command)) {
    const type = mappings.get(mapping);
    for (const { key, text } of rows) {
      const member = type && keyAt(type, key);
      const meaning = text || findOption(optionTables, mapping, key)?.text;
      // Where several mappings have the same key, the page explains it first.
      if (member && meaning && !descriptions.has(member)) descriptions.set(member, withoutLinks(meaning));
    }
  }
  return descriptions;
}

function withoutLinks(text: string): string {
  return text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('\\|', '|');
}

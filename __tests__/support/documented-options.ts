import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';

const root = new URL('../../', import.meta.url);

/** The options of an interface in `src/`, with the default in their TSDoc, or `required`. */
export function optionsOfInterface(file: string, name: string): Map<string, string> {
  const source = readFileSync(new URL(`src/${file}`, root), 'utf8');
  const [, body = ''] = new RegExp(`^export interface ${name} [^\n]*{\n(.*?)^}`, 'ms').exec(source) ?? [];
  const members = body.matchAll(/^ {2}(?:\/\*\*((?:(?!\*\/).)*)\*\/\n {2})?readonly (\w+)(\??):/gms);
  return new Map(
    [...members].map(([, comment = '', option = '', isOptional]) => [
      option,
      isOptional === '' ? 'required' : defaultIn(comment),
    ]),
  );
}

function defaultIn(comment: string): string {
  const [, lines = ''] = comment.split('@default ');
  const text = lines.replace(/\n\s*\*\s*/g, ' ').trim();
  // Editors show it as code, so that a value has no backticks; in a table it needs them.
  return /^(?:[\d'[{]|true$|false$)/.test(text) ? `\`${text}\`` : text;
}

/** The contents of a row of a table of options. */
export interface DocumentedOption {
  readonly type: string;
  readonly default: string;
}

const ROW = /^\| `([\w.]+)` \|((?:[^|\\]|\\.)*)\|((?:[^|\\]|\\.)*)\|/gm;

/** The rows of the first table of options beneath a heading of a page of docs/, by name. */
export function optionsOfPage(heading: string, page = 'docs/options.md'): Map<string, DocumentedOption> {
  const [, section = ''] = readFileSync(new URL(page, root), 'utf8').split(`# ${heading}\n`);
  const [text = ''] = section.split('\n## ');
  const [, table = ''] = text.split(/\n\| [a-z ]*option \| type \| default \| \|\n/);
  const rows = table.matchAll(ROW);
  return new Map(
    [...rows].map(([, option = '', type = '', fallback = '']) => [
      option,
      { type: type.trim(), default: fallback.trim() },
    ]),
  );
}

/** A default as documentation writes it. */
export function written(value: unknown): string {
  const text = inspect(value, { compact: true, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: null });
  return `\`${text.replace(/^\[ | \]$/g, (bracket) => bracket.trim())}\``;
}

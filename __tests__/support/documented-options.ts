import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/options.md', root), 'utf8');

/** The options of an interface of `src/`, and what their TSDoc gives as the default: `required` where they must be given. */
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
  const [, text = ''] = comment.split('@default ');
  return text.replace(/\n\s*\*\s*/g, ' ').trim();
}

/** What a row of docs/options.md says. */
export interface DocumentedOption {
  readonly type: string;
  readonly default: string;
}

const ROW = /^\| `([\w.]+)` \|((?:[^|\\]|\\.)*)\|((?:[^|\\]|\\.)*)\|/gm;

/** The rows of the options in docs/options.md beneath a heading, by name. */
export function optionsOfPage(heading: string): Map<string, DocumentedOption> {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [text = ''] = section.split('\n## ');
  const [, table = ''] = text.split('\n| option | type | default | |\n');
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

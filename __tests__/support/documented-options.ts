import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

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
  const [, text = ''] = comment.split('@default ');
  return text.replace(/\n\s*\*\s*/g, ' ').trim();
}

/** The rows of the options in README beneath a heading: name and default. */
export function optionsOfReadme(heading: string): Map<string, string> {
  const [, section = ''] = readme.split(`\n## ${heading}\n`);
  const [text = ''] = section.split('\n## ');
  const [, table = ''] = text.split('\n| option | default | |\n');
  const [block = ''] = table.split('\n\n');
  const rows = block.matchAll(/^\| `([\w.]+)` \|(.*?)\|/gm);
  return new Map([...rows].map(([, option = '', cell = '']) => [option, cell.trim()]));
}

/** A default as documentation writes it. */
export function written(value: unknown): string {
  const text = inspect(value, { compact: true, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: null });
  return `\`${text.replace(/^\[ | \]$/g, (bracket) => bracket.trim())}\``;
}

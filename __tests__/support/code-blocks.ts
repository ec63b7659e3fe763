import { readdirSync, readFileSync } from 'node:fs';
import { ROOT } from './program.js';

/** The pages whose code must be that of a file, or run. */
export const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync(`${ROOT}docs`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** A fenced block of a page. */
export interface CodeBlock {
  readonly page: string;
  readonly line: number;
  /** The comment in the line before: a file that has this code, or `run by FILE: NAME`. */
  readonly marker: string;
  readonly language: string;
  readonly code: string;
}

const BLOCK = /(?:^<!-- ([^\n]+) -->\n)?^```([^\n]*)\n(.*?)^```$/gms;

export function codeBlocksOf(page: string): readonly CodeBlock[] {
  const text = readFileSync(ROOT + page, 'utf8');
  return [...text.matchAll(BLOCK)].map(({ index, 1: marker = '', 2: language = '', 3: code = '' }) => ({
    page,
    line: text.slice(0, index).split('\n').length,
    marker,
    language,
    code,
  }));
}

const RUN_BY = /^run by (__tests__\/[\w./-]+): ([\w-]+)$/;

/** The test that runs a block, and the block's name there; undefined for a block that is quoted from a file. */
export function runnerOf({ marker }: CodeBlock): { readonly file: string; readonly name: string } | undefined {
  const [, file, name] = RUN_BY.exec(marker) ?? [];
  return file === undefined || name === undefined ? undefined : { file, name };
}

/** The code of the block that a page says is run under this name. */
export function blockToRun(page: string, name: string): string {
  const block = codeBlocksOf(page).find((candidate) => runnerOf(candidate)?.name === name);
  if (block === undefined) throw new Error(`${page} has no block that is run as "${name}"`);
  return block.code;
}

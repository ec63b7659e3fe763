import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type CodeBlock, codeBlocksOf, PAGES, runnerOf } from '../support/code-blocks.js';
import { ROOT } from '../support/program.js';

/** The reason why a reader cannot rely on a block; undefined for one that is quoted from a file or that a test runs. */
function faultOf(block: CodeBlock): string | undefined {
  const runner = runnerOf(block);
  if (runner !== undefined) {
    const call = `blockToRun('${block.page}', '${runner.name}')`;
    return read(runner.file).includes(call) ? undefined : `${runner.file} does not call ${call}`;
  }
  if (block.marker === '') return 'needs <!-- a file that has this code --> or <!-- run by TEST: NAME --> before it';
  const isQuoted = `\n${read(block.marker)}`.includes(`\n${block.code}`);
  return isQuoted ? undefined : `is not in ${block.marker}`;
}

function read(file: string): string {
  return existsSync(ROOT + file) ? readFileSync(ROOT + file, 'utf8') : '';
}

describe.each(PAGES)('%s', (page) => {
  test('every code block is quoted from a file, or a test runs it', () => {
    const faults = codeBlocksOf(page).map((block) => [`line ${block.line}`, faultOf(block)]);
    expect(faults.filter(([, fault]) => fault !== undefined)).toEqual([]);
  });

  test('policies have a type, so that TypeScript accepts words such as a provider in them', () => {
    const untyped = codeBlocksOf(page).filter(
      ({ language, code }) => language === 'ts' && /^const policy =/m.test(code),
    );
    expect(untyped).toEqual([]);
  });

  test('no code block escapes the check', () => {
    const fences = readFileSync(ROOT + page, 'utf8').match(/^\s*(```|~~~)/gm) ?? [];
    expect(fences).toHaveLength(codeBlocksOf(page).length * 2);
  });
});

test.each(['docs/commonjs.md', 'docs/cors.md', 'docs/rules.md', 'docs/scopes.md', 'docs/store.md', 'docs/testing.md'])(
  'the programs of %s are whole, so that they run as they are pasted',
  (page) => {
    const programs = codeBlocksOf(page).filter(({ marker }) => marker.startsWith('samples/'));
    expect(programs).not.toEqual([]);
    for (const { marker, code } of programs) expect(code).toBe(read(marker));
  },
);

const QUOTED = {
  page: 'README.md',
  line: 1,
  marker: 'samples/scopes.ts',
  language: 'ts',
  code: "import express from 'express';\n",
};

test.each<[string, Partial<CodeBlock>]>([
  ['has no marker', { marker: '' }],
  ['is not in the file that it names', { code: 'import nothing;\n' }],
  ['begins in the middle of a line', { code: "express from 'express';\n" }],
  ['names a file that is not there', { marker: 'samples/none.ts' }],
  ['names a test that does not run it', { marker: 'run by __tests__/docs/code-blocks.test.ts: answers' }],
])('a block that %s is found', (_case, change) => {
  expect(faultOf(QUOTED)).toBeUndefined();
  expect(faultOf({ ...QUOTED, ...change })).toEqual(expect.any(String));
});

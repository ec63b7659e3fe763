import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Words of a private language, and what readers who know OAuth and HTTP understand at once. */
const WORDS: readonly [pattern: RegExp, instead: string][] = [
  [/\b(?:MOST|LONGEST|LEAST|SHORTEST|FEWEST)_[A-Z]/, 'MAX_… and MIN_…'],
  [/\bheld\b/, 'options or resolved'],
  [/\bfacade\b/i, 'OAuth proxy'],
  [
    /\b(?:[Pp]assage|[Cc]linic|[Kk]nock(?:s|ing)?|turnAway|[Gg]ates?)\b/,
    'the word of the RFC: request context, first request, refuse, mcpAuth()',
  ],
  [/\b(?:nobody|whoever|strangers?)\b/i, 'who it is: no caller, every client, anonymous callers'],
  [/\b(?:can(?:not)?|may(?: also)?) stand\b/, 'is valid, is written'],
  [/\b(?:anew|of ours|of the moment|in vain|for ever)\b/, 'again, our, current, without effect, forever'],
  [/\b(?:[Aa]ttend(?:s|ed|ing)?|[Gg]oodbyes?|[Hh]anded ?[Oo]ut)\b/, 'what happens: is in use, end, give or assign'],
  // In quotes they are names of others, such as the eras of SDK v2.
  [
    /(?<!')\b(?:legacy(?!Endpoints\b|_server\b|Headers\b|Enum\b|: 'reject')|[Mm]odern)\b/,
    'sessions, stateless: not how old it is',
  ],
  [/\balso if\b/, 'even if'],
  [/^\s*(?:\/\*\*|\*|\/\/) *(?:What|Whether|Who(?:ever|se|m)?|Where|Which|How|Why)\b/, 'a subject and a verb'],
];

/** The lines that need these words. */
const EXCEPTIONS: Readonly<Record<string, RegExp>> = {
  // Values that version 0.1 has encrypted open with the same key.
  'src/core/seal.ts': /'express-mcp-auth facade'/,
  // The old name, which is refused with the new one.
  'src/options/other-names.ts': /\bfacade\b/,
  // Tests of the old names.
  '__tests__/options/other-names.test.ts': /\bfacade\b/,
  '__tests__/support/other-name-rows.ts': /'facade'/,
  // The rule itself.
  'docs/conventions.md': /, never `held`|not "nobody"|Whoever …|not `legacy`|metaphor|gate/,
};

const inFolder = (folder: string, ends: RegExp) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => ends.test(name) && !name.includes('node_modules'))
    .map((name) => `${folder}/${name}`);
const files = [
  ...inFolder('src', /\.ts$/),
  ...inFolder('docs', /\.md$/),
  ...inFolder('samples', /\.(?:ts|md)$/),
  ...inFolder('bench', /\.mjs$/),
  ...inFolder('__tests__', /\.m?ts$|\.mjs$/).filter((name) => !name.endsWith('/words.test.ts')),
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'],
];

test.each(WORDS.map(([pattern, instead]) => [instead, pattern] as const))('files say: %s', (_instead, pattern) => {
  const lines = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => pattern.test(line) && EXCEPTIONS[file]?.test(line) !== true)
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(lines).toEqual([]);
});

/** The names that occur more than once, each with the files. */
function homonymsIn(pairs: readonly (readonly [name: string, file: string])[]): readonly (readonly [string, string])[] {
  const filesOf = (name: string) => new Set(pairs.filter(([other]) => other === name).map(([, file]) => file));
  return pairs.filter(([name]) => filesOf(name).size > 1);
}

const sources = inFolder('src', /\.ts$/);

test('no two files of src/ have the same name', () => {
  // An entry point of the package; and the same well-known paths, on the layer of HTTP and on that of OAuth.
  const exceptions = ['index.ts', 'well-known.ts'];
  const named = sources.map((file) => [file.slice(file.lastIndexOf('/') + 1), file] as const);
  expect(homonymsIn(named.filter(([name]) => !exceptions.includes(name)))).toEqual([]);
});

test('no two files of src/ export the same name', () => {
  const named = sources.flatMap((file) =>
    [
      ...readFileSync(file, 'utf8').matchAll(
        /^export (?:async )?(?:abstract )?(?:function|class|interface|type|const) (\w+)/gm,
      ),
    ].map(([, name = '']) => [name, file] as const),
  );
  expect(homonymsIn(named)).toEqual([]);
});

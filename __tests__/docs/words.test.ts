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
  [/\b(?:anew|of ours|of the moment|in vain)\b/, 'again, our, current, without effect'],
  [/\b(?:[Aa]ttend(?:s|ed|ing)?|[Gg]oodbyes?|[Hh]anded ?[Oo]ut)\b/, 'what happens: is in use, end, give or assign'],
  [/\blegacy(?!Endpoints\b|_server\b)|\b[Mm]odern\b/, 'what it is and not its age: sessions, stateless'],
  [/^\s*(?:\/\*\*|\*|\/\/) *(?:Whether|Whoever|Whose)\b/m, 'a subject and a verb'],
];

/** What these words are needed for. */
const EXCEPTIONS: Readonly<Record<string, RegExp>> = {
  // Values that version 0.1 has encrypted open with the same key.
  'src/core/seal.ts': /'express-mcp-auth facade'/,
  // The old name, which is refused with the new one.
  'src/options/other-names.ts': /\bfacade\b/,
  // An option of express-rate-limit.
  'src/gateway/registration-limit.ts': /legacyHeaders/,
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

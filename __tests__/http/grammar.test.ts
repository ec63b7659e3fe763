import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lowerAscii } from '../../src/http/lower-ascii.js';
import { isMediaType } from '../../src/http/media-type.js';
import { trimOws } from '../../src/http/ows.js';
import { ROOT } from '../support/program.js';

/** Every character that `trim()` removes, or `\s` matches. */
const WHITE_SPACE = [...Array(0x10000).keys()].map((code) => String.fromCharCode(code)).filter((c) => c.trim() === '');
/** Every character beyond ASCII whose upper or lower case is ASCII. */
const FALSE_LETTERS = [...Array(0x10000).keys()]
  .filter((code) => code > 0x7f)
  .map((code) => String.fromCharCode(code))
  .filter((c) => /[\x20-\x7e]/.test(c.toLowerCase() + c.toUpperCase()));

describe('trimOws()', () => {
  test.each(WHITE_SPACE.map((c) => [c.charCodeAt(0).toString(16).padStart(4, '0'), c]))(
    'with U+%s removes spaces and tabs only',
    (_code, c) => {
      expect(trimOws(`${c}a${c}`)).toBe(c === ' ' || c === '\t' ? 'a' : `${c}a${c}`);
      expect(trimOws(` \t${c} \t`)).toBe(c === ' ' || c === '\t' ? '' : c);
    },
  );

  test.each([
    ['', ''],
    [' \t ', ''],
    ['a \t b', 'a \t b'],
  ])('%j is %j', (text, trimmed) => {
    expect(trimOws(text)).toBe(trimmed);
  });
});

describe('lowerAscii()', () => {
  test('some letters beyond ASCII become ASCII when their case changes', () => {
    expect(FALSE_LETTERS).toEqual(expect.arrayContaining(['\u212a', '\u0131', '\u0130', '\u017f', '\ufb01']));
  });

  test.each(FALSE_LETTERS)('%s is not changed', (letter) => {
    expect(lowerAscii(`A${letter}Z`)).toBe(`a${letter}z`);
  });

  test.each([
    ['@AZ[`az{0', '@az[`az{0'],
    ['xA', 'xa'],
    ['xZ', 'xz'],
    ['@[`{', '@[`{'],
    ['\u212a', '\u212a'],
    ['', ''],
  ])('ASCII letters become lower case: %j', (text, folded) => {
    expect(lowerAscii(text)).toBe(folded);
  });
});

describe('a Content-Type', () => {
  const rows: [type: string, isJson: boolean][] = [
    ['application/json', true],
    ['Application/JSON', true],
    ['application/json;charset=utf-8', true],
    ['application/json; charset=utf-8', true],
    ['application/json \t; \tcharset=UTF-8', true],
    ['application/json; Charset="Utf-8"', true],
    ['', false],
    ['text/json', false],
    ['application/json2', false],
    ['application/ json', false],
    ['application/\u212ason', false],
    ['application/j\u017fon', false],
    ['application/json, text/plain', false],
    ['application/json; charset =utf-7', false],
    ['application/json; charset =utf-8', false],
    ['application/json; charset= utf-8', false],
    ['application/json; charset=utf-7', false],
    ['application/json; charset=utf8', false],
    ['application/json; charset="utf-8', false],
    ['application/json; charset=utf-8"', false],
    ["application/json; charset='utf-8'", false],
    ['application/json; charset="utf-\\8"', false],
    ['application/json; charset', false],
    ['application/json; charset=', false],
    ['application/json;', false],
    ['application/json;;charset=utf-8', false],
    ['application/json; charset=utf-8; charset=utf-7', false],
    ['application/json; charset=utf-8; charset=utf-8', false],
    ['application/json; boundary=x', false],
    ['application/json; charset=utf-8; x=y', false],
    ['application/json; charset*=utf-7', false],
    ['application/json\u00a0; charset=utf-8', false],
    ['application/json;\u00a0charset=utf-8', false],
    ['application/json;\u0085charset=utf-8', false],
    ['application/json;\ufeffcharset=utf-8', false],
    ['application/json;\vcharset=utf-8', false],
    ['application/json;\fcharset=utf-8', false],
    ['application/json;\ncharset=utf-8', false],
    ['application/json; charset=utf-8\n', false],
    ['application/json; char\u017fet=utf-8', false],
  ];

  test.each(rows)('%j is JSON in UTF-8: %j', (type, isJson) => {
    expect(isMediaType(type, 'application/json')).toBe(isJson);
    const form = type.replace(/application\/json/i, 'application/x-www-form-urlencoded');
    if (form !== type) expect(isMediaType(form, 'application/x-www-form-urlencoded')).toBe(isJson);
  });
});

/** Code that matches more than ASCII, or other white space than HTTP's: `trim()`, `\s`, case folding, `i` with `u`. */
const WIDE =
  /\.trim(?:Start|End)?\(|\\[sS]|\.to(?:Locale)?(?:Lower|Upper)Case\(|\.normalize\(|localeCompare|\/[dgmsy]*(?:i[dgmsy]*[uv]|[uv][dgmsy]*i)[dgmsy]*[.,;)]/;

/** The files where that is intended, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'http/lower-ascii.ts': 'the one place, guarded',
  'http/html.ts': 'how a name looks to a person',
  'messages/canonical-names.ts': 'wider on purpose: names that any reader may treat as equal share their rules',
  'messages/known-names.ts': 'wider on purpose: names that any reader may treat as equal are refused',
  'authorization/simplest-uris.ts':
    "wider on purpose: a host as Python's lower() compares it, so that a rule may deny it",
  'admin/error-help.ts': 'pages of the package itself',
  'core/principal.ts': "the mount in capitals as Express's router compares it",
  'core/session-owners.ts': 'wider on purpose: session ids that a server may take for the same have one owner',
  'doctor/cross-origin.ts': 'a method that is written there',
  'doctor/read-challenge.ts': 'reads a challenge with the regular expression of the MCP SDKs',
  'options/checks.ts': 'the nearest name, for a message',
  'policy/metadata-members.ts': 'the option that a member was meant for, for a message',
  'gateway/access-log/log-values.ts': 'a value for the log: any white space in it is quoted',
  'gateway/command-line.ts': 'a file that a person has written',
  'gateway/config/text-source.ts': 'a file that a person has written',
  'gateway/config/variables.ts': 'a secret as another program may quote it in a message',
  'gateway/config/white-space.ts': 'finds white space of every kind in texts of the file, to refuse it',
  'gateway/log-output.ts': 'the level in capitals, one of four words',
  'gateway/parse-arguments.ts': 'the first sentence of a message of Node',
  'gateway/schema/key-descriptions.ts': 'pages of the package itself',
  'gateway/schema/shown-texts.ts': 'the program in a command that a person has written',
  'targets/stdio/stderr-lines.ts': 'lines for the log',
  'targets/stdio/windows-program.ts': 'names of files as Windows compares them',
  'upstream/forward-proxy.ts': 'NO_PROXY as an operator has written it',
};

describe('no other file', () => {
  const folder = join(ROOT, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const wide = files.filter((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .some((line) => !/^\s*(?:\/?\*|\/\/|import )/.test(line) && WIDE.test(line)),
  );

  test('trims or folds more than ASCII: use trimOws() and lowerAscii(), or say here why not', () => {
    expect(wide.toSorted()).toEqual(Object.keys(EXCEPTIONS).toSorted());
  });
});

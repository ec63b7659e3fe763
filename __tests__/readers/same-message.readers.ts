import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { BridgeError } from '../../src/messages/bridge-error.js';
import { parseReceivedBody as parseForScopes, readCalls } from '../../src/messages/calls-in-body.js';
import { parseMessages as parseForBridge } from '../../src/messages/json-rpc.js';
import { MessageError } from '../../src/messages/message-refusal.js';
import { createMetaRules, type MetaRule, withMeta } from '../../src/messages/meta-edit.js';
import { ROOT } from '../support/program.js';

const folder = mkdtempSync(join(tmpdir(), 'readers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = (name: string) => join(ROOT, '__tests__/readers', name);

/** Builds a reader in C; `libraries` are options of the linker. */
function compile(name: string, ...libraries: string[]): string {
  const program = join(folder, name);
  execFileSync('cc', ['-O1', '-Wall', '-Werror', '-o', program, source(`${name}.c`), ...libraries]);
  return program;
}

function buildGo(): string {
  const program = join(folder, 'go-reader');
  execFileSync('go', ['build', '-o', program, source('reader.go')], { cwd: folder });
  return program;
}

const cjson = compile('cjson-reader', '-lcjson');
const small = compile('small-reader');
const go = buildGo();

const READERS: [name: string, command: string, ...args: string[]][] = [
  ['C with cJSON, whatever the capitals', cjson],
  ['C with cJSON, by exact names', cjson, 'exact'],
  ['C by hand, the first of two', small],
  ['C by hand, the last of two', small, 'last'],
  ['Go into a struct', go],
  ['Go into a map', go, 'map'],
  ['Python', 'python3', source('reader.py')],
  ['Python, the first of two', 'python3', source('reader.py'), 'first'],
];

/** A message as a reader reads it: method, name, uri, taskId, and who `_meta` says is calling; each in hexadecimal, or `-`. */
type Reading = string;

function readWith(command: string, args: readonly string[], texts: readonly string[]): Reading[] {
  const input = Buffer.from(texts.map((text) => `${text}\n`).join(''));
  const output = execFileSync(command, args, { input, maxBuffer: 2 ** 28, encoding: 'latin1' });
  return output.split('\n').slice(0, -1);
}

function readHere(text: string): Reading {
  const { method, params } = JSON.parse(text);
  const values = [method, params?.name, params?.uri, params?.taskId, params?._meta?.user];
  return values.map((value) => (typeof value === 'string' ? Buffer.from(value).toString('hex') : '-')).join('\t');
}

/** The reading of a message that a reader cannot parse: it would do nothing. */
const NOTHING = ['-', '-', '-', '-', '-'].join('\t');

const CODES = [...Array(0x100).keys(), 0x130, 0x131, 0x17f, 0x212a, 0x200b, 0x2028, 0xd800, 0xdc00, 0xfeff, 0xfffd];
const CHARACTERS = CODES.map((code) => String.fromCharCode(code));

/** A name with each character before, within and after it, or instead of one letter; and in other capitals. */
function spoiltNames(name: string): string[] {
  const spoilt = CHARACTERS.flatMap((c) => [
    c + name,
    name + c,
    `${name.slice(0, 2)}${c}${name.slice(2)}`,
    `${name}${c}x`,
  ]);
  const replaced = [...name].flatMap((letter, i) =>
    ['\u0130', '\u0131', '\u017f', '\u212a', letter.toUpperCase(), letter.toLowerCase()].map(
      (c) => name.slice(0, i) + c + name.slice(i + 1),
    ),
  );
  return [...spoilt, ...replaced, name, name.toUpperCase(), `${name}\u0000\u0000`, ''];
}

const quoted = (text: string) => JSON.stringify(text);
const escaped = (text: string) =>
  `"${text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')}"`;

/** Pairs of members, the proper one and the spoilt one, in either order; or the spoilt one alone. */
function orders(proper: string, spoilt: string): string[] {
  return [`${proper},${spoilt}`, `${spoilt},${proper}`, spoilt];
}

const HEAD = '"jsonrpc":"2.0","id":1';
const METHOD = `${HEAD},"method":"tools/call"`;

const WRITERS: Readonly<Record<string, (spoilt: string) => string[]>> = {
  method: (name) =>
    orders('"method":"ping"', `${name}:"tools/call"`).map((m) => `{${HEAD},${m},"params":{"name":"rm"}}`),
  params: (name) => orders('"params":{"name":"echo"}', `${name}:{"name":"rm"}`).map((m) => `{${METHOD},${m}}`),
  name: (name) => orders('"name":"echo"', `${name}:"rm"`).map((m) => `{${METHOD},"params":{${m}}}`),
  uri: (name) =>
    orders('"uri":"file:///a"', `${name}:"file:///b"`).map(
      (m) => `{${HEAD},"method":"resources/read","params":{${m}}}`,
    ),
  taskId: (name) => orders('"taskId":"1"', `${name}:"2"`).map((m) => `{${HEAD},"method":"tasks/get","params":{${m}}}`),
  _meta: (name) =>
    orders('"_meta":{"x":1}', `${name}:{"user":"root"}`).map((m) => `{${METHOD},"params":{"name":"echo",${m}}}`),
  user: (name) => orders('"x":1', `${name}:"root"`).map((m) => `{${METHOD},"params":{"name":"echo","_meta":{${m}}}}`),
};

/** Messages in which a value that decides is spoilt, instead of a name. */
const VALUES: Readonly<Record<string, (spoilt: string) => string[]>> = {
  'tools/call': (method) => [`{${HEAD},"method":${method},"params":{"name":"rm"}}`],
  rm: (name) => [`{${METHOD},"params":{"name":${name}}}`],
  'file:///b': (uri) => [`{${HEAD},"method":"resources/read","params":{"uri":${uri}}}`],
};

const TEXTS = Object.entries({ ...WRITERS, ...VALUES }).flatMap(([name, write]) =>
  spoiltNames(name).flatMap((spoilt) => [...write(quoted(spoilt)), ...write(escaped(spoilt))]),
);

/** The texts that `mcpScopes()` passes on, unchanged. */
const passedByScopes = TEXTS.filter((text) => {
  try {
    readCalls(parseForScopes(Buffer.from(text)));
    return true;
  } catch (error) {
    if (error instanceof MessageError) return false;
    throw error;
  }
});

/** The messages that the bridge sends to a server, with the verified caller in `_meta`. */
const CALLER = createMetaRules(() => ({ user: 'alice' }), []).forRequest(undefined) as MetaRule;
const passedByBridge = TEXTS.flatMap((text) => {
  try {
    return parseForBridge(Buffer.from(text)).messages.map((message) => withMeta(message, CALLER).toString());
  } catch (error) {
    if (error instanceof BridgeError) return [];
    throw error;
  }
});

/** Returns the texts in which a reader reads another message than we do. */
function misread([, command, ...args]: (typeof READERS)[number], texts: readonly string[]) {
  const readings = readWith(command, args, texts);
  expect(readings.length).toBe(texts.length);
  return texts.flatMap((text, i) => {
    const reading = readings[i] ?? '';
    return reading === NOTHING || reading === readHere(text) ? [] : [{ text, reading }];
  });
}

test('there is enough to read', () => {
  expect(TEXTS.length).toBeGreaterThan(40_000);
  expect(passedByScopes.length).toBeGreaterThan(5_000);
  expect(passedByBridge.length).toBeGreaterThan(5_000);
});

describe.each(READERS)('%s', (...reader) => {
  test('reads what mcpScopes() passes as the same method, name, resource and task', () => {
    // `mcpScopes()` does not check `_meta.user`, which only the bridge sets.
    const known = passedByScopes.filter((text) => !text.includes('_meta'));
    expect(misread(reader, known).slice(0, 5)).toEqual([]);
  });

  test('reads what the bridge passes as the same message of the same caller', () => {
    expect(misread(reader, passedByBridge).slice(0, 5)).toEqual([]);
    const alice = Buffer.from('alice').toString('hex');
    const [, command, ...args] = reader;
    const callers = readWith(command, args, passedByBridge).map((reading) => reading.split('\t')[4]);
    expect(new Set(callers)).toEqual(new Set([alice]));
  });
});

test.each(READERS.filter(([name]) => name.startsWith('C')))(
  '%s would misread messages that are refused',
  (...reader) => {
    expect(misread(reader, TEXTS).filter(({ text }) => text.includes('u0000')).length).toBeGreaterThan(100);
  },
);

import { execFileSync } from 'node:child_process';
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { StoreDump } from '../../src/gateway/dev-issuer/dev-issuer-store.js';
import { createKey, openSavedState } from '../../src/gateway/dev-issuer/saved-state.js';
import { createRecordingLogger } from '../support/recording-logger.js';

async function makeFile() {
  const folder = await mkdtemp(join(tmpdir(), 'kept-state-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, '.dev-issuer.json');
  const { lines, logger } = createRecordingLogger();
  return { folder, file, lines, open: () => openSavedState(file, logger) };
}

test('keeps key and secret for the next start, in a file that only its owner can use', async () => {
  const { file, folder, lines, open } = await makeFile();
  const first = open();
  expect(lines).toEqual([`info the keys of the development issuer are kept in ${file}: do not commit it`]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const entry: StoreDump[number] = ['Grant:a', { value: { accountId: 'developer' } }];
  first.save([entry]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['.dev-issuer.json']);
  const second = open();
  expect([second.key, second.secret, second.dump]).toEqual([first.key, first.secret, [entry]]);
  expect(lines).toHaveLength(1);
});

/** Changes the contents of the file, and keeps its form. */
const edit =
  (change: (contents: { key: object; dump: unknown }) => object): Spoil =>
  async (file) => {
    const contents = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ ...contents, ...change(contents) }));
  };

type Spoil = (file: string, folder: string) => unknown;

const UNUSABLE: [string, Spoil, RegExp][] = [
  [
    'read by others',
    (file) => chmod(file, 0o644),
    /can be read or written by other users of this machine \(chmod 600\)/,
  ],
  ['read by its group', (file) => chmod(file, 0o640), /can be read or written by other users of this machine/],
  ['written by others', (file) => chmod(file, 0o602), /can be read or written by other users of this machine/],
  ['empty', (file) => writeFile(file, ''), /does not contain the state of a development issuer/],
  [
    'cut off',
    async (file) => writeFile(file, (await readFile(file, 'utf8')).slice(0, -20)),
    /does not contain the state of a development issuer/,
  ],
  [
    'another JSON file',
    (file) => writeFile(file, '{"key":{},"secret":"x","dump":[]}'),
    /does not contain the state of a development issuer/,
  ],
  [
    'a key off the curve',
    edit(({ key }) => ({ key: { ...key, x: 'AAAA' } })),
    /does not contain the state of a development issuer/,
  ],
  [
    'a private key of another',
    edit(({ key }) => ({ key: { ...key, d: createKey().d } })),
    /does not contain the state of a development issuer/,
  ],
  ...[
    [1],
    [null],
    [['a', null]],
    [['a', { value: 5 }]],
    [['a', { value: {}, ttl: 'x' }]],
    [[{}, { value: {} }]],
    {},
  ].map((dump): [string, Spoil, RegExp] => [
    `a dump of ${JSON.stringify(dump)}`,
    edit(() => ({ dump })),
    /does not contain the state of a development issuer/,
  ]),
  [
    'a symbolic link',
    async (file, folder) => {
      await link(file, join(folder, 'other'));
      await rm(file);
      await symlink('other', file);
    },
    /is a symbolic link/,
  ],
  [
    'a directory',
    async (file) => {
      await rm(file);
      await mkdir(file);
    },
    /is not a regular file/,
  ],
  [
    'a fifo',
    async (file) => {
      await rm(file);
      execFileSync('mkfifo', ['-m', '600', file]);
    },
    /is not a regular file/,
  ],
];

test.each(UNUSABLE)('a file that is %s is neither used nor changed', async (_name, spoil, reason) => {
  const { file, folder, lines, open } = await makeFile();
  const first = open();
  await spoil(file, folder);
  const before = await stat(file);
  const second = open();
  second.save([]);
  expect(second.key.d).not.toBe(first.key.d);
  expect(second.secret).not.toBe(first.secret);
  expect(lines.slice(1)).toEqual([expect.stringMatching(reason)]);
  expect(lines[1]).toMatch(
    /^warn .*delete or correct the file; until then clients must log in again after each restart$/,
  );
  expect((await stat(file)).mtimeMs).toBe(before.mtimeMs);
});

test('starts even if the folder does not exist', async () => {
  const { lines, logger } = createRecordingLogger();
  const state = openSavedState('/proc/none/.dev-issuer.json', logger);
  state.save([]);
  expect(state.key.d).toBeTypeOf('string');
  expect(lines).toEqual([expect.stringContaining('cannot be read or written (ENOENT)')]);
});

test('a file that was deleted during the run stays deleted', async () => {
  const { file, folder, open } = await makeFile();
  const state = open();
  await rm(file);
  state.save([]);
  expect(await readdir(folder)).toEqual([]);
});

test('does not overwrite a file of another run', async () => {
  const { file, open } = await makeFile();
  const first = open();
  await rm(file);
  const second = open();
  first.save([]);
  expect(open().secret).toBe(second.secret);
});

test('a key is for signatures with ES256, whatever the file says', async () => {
  const { file, folder, open } = await makeFile();
  const { key } = open();
  await edit((contents) => ({ key: { ...contents.key, use: 'enc', alg: 'HS256' } }))(file, folder);
  expect(open().key).toEqual(key);
});

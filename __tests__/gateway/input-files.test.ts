import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { InputFiles } from '../../src/gateway/input-files.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'input-'));
  return () => rm(folder, { recursive: true });
});

test('a file that changes meanwhile is not read twice', async () => {
  const file = join(folder, 'changing');
  await writeFile(file, 'one');
  const files = new InputFiles();
  expect(files.read(file)).toBe('one');
  await writeFile(file, 'two');
  expect([files.read(file), files.hashOf(file)]).toEqual([
    'one',
    createHash('sha256').update('one').digest('hex').slice(0, 12),
  ]);
  expect(new InputFiles().read(file)).toBe('two');
});

test('the hash is that of the bytes, also where they are no UTF-8', async () => {
  const file = join(folder, 'bytes');
  const bytes = Buffer.from([0xff, 0xfe, 0x00]);
  await writeFile(file, bytes);
  expect(new InputFiles().hashOf(file)).toBe(createHash('sha256').update(bytes).digest('hex').slice(0, 12));
});

test('a missing file fails each time, and counts as a change when it appears', async () => {
  const file = join(folder, 'later');
  const files = new InputFiles();
  expect(() => files.read(file)).toThrow(`${file}: the file does not exist`);
  const before = files.digestOf([file]);
  await writeFile(file, '');
  expect(() => files.read(file)).toThrow('the file does not exist');
  expect(files.names).toEqual([file]);
  expect(new InputFiles().digestOf([file])).not.toBe(before);
});

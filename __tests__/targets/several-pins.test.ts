import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../src/targets/several/canonical-json.js';
import { PinFile } from '../../src/targets/several/pin-file.js';
import { ToolPins } from '../../src/targets/several/pins.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const { logger } = createRecordingLogger();
const HASHES = ['a', 'b'].map((letter) => `sha256-${letter.repeat(43)}`) as [string, string];
const newFile = (): string => join(mkdtempSync(join(tmpdir(), 'pins-')), 'pins.json');

test('a file that cannot be read at run time: the hashes read before stay in use', () => {
  const { lines, logger: recording } = createRecordingLogger();
  const file = newFile();
  const pins = new ToolPins(new PinFile(file), recording);
  const tool = (hash: string) => [{ name: 'x', hash }];
  expect(pins.check('a', tool(HASHES[0]))).toEqual([true]);
  writeFileSync(file, '{"a":');
  expect(pins.check('a', tool(HASHES[1]))).toEqual([false]);
  expect(lines[0]).toContain('the file of pin cannot be read');
});

test.each(['[]', '{"a":1}', '{"a":{"x":"md5"}}', '{"a":{},"a":{}}', 'x'])('the file %s is refused', (text) => {
  const file = newFile();
  writeFileSync(file, text);
  expect(() => new ToolPins(new PinFile(file), logger)).toThrow();
});

test('one list cannot have two definitions of a tool, and one target not more than 2000 tools', () => {
  const pins = new ToolPins(undefined, logger);
  expect(
    pins.check('a', [
      { name: 'x', hash: '1' },
      { name: 'x', hash: '2' },
    ]),
  ).toEqual([true, false]);
  const many = Array.from({ length: 2_001 }, (_, index) => ({ name: `t${index}`, hash: `${index}` }));
  expect(pins.check('b', many).filter((shown) => !shown)).toHaveLength(1);
  const long = 'x'.repeat(257);
  expect(pins.check('b', [{ name: long, hash: '0' }])).toEqual([false]);
  expect(['t0', 't2000', 'unlisted', long].map((name) => pins.isHidden('b', name))).toEqual([false, true, true, true]);
  expect([pins.isHidden('a', 'unlisted'), pins.isHidden('a', long)]).toEqual([false, true]);
});

test.each([
  [{ b: 1, a: [true, null] }, '{"a":[true,null],"b":1}'],
  [{ a: { d: 'ä"', c: 1e2 } }, '{"a":{"c":100,"d":"ä\\""}}'],
  [JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
])('canonical JSON of %j', (value, text) => {
  expect(canonicalJson(value)).toBe(text);
});

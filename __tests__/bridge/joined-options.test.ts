import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type McpBackendOptions, mcpBackend } from '../../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'pins-'));
const broken = join(folder, 'broken.json');
writeFileSync(broken, '{"a":{"x":1}}');
const target = { command: 'node' };
const create = (options: object) => {
  const backend = mcpBackend({ targets: { one: target, two: target }, ...options } as McpBackendOptions);
  onTestFinished(() => backend.close());
  return backend;
};

const REFUSED: readonly [options: object, message: string][] = [
  [
    { prefixMode: 'sometimes' },
    'option "prefixMode" must be one of "conditional", "always", "never", but got "sometimes". Leave it out for "conditional".',
  ],
  [
    { failureMode: true },
    'option "failureMode" must be one of "failClosed", "failOpen", but got true. Leave it out for "failClosed".',
  ],
  [{ serverInfo: 'x' }, 'option "serverInfo" must be an object, but got "x". Write { name: "…", version: "…" }.'],
  [
    { serverInfo: { name: 'x' } },
    'option "serverInfo.version" must be a non-empty string, but got undefined. Write { name: "…", version: "…" }.',
  ],
  [{ pin: '' }, 'option "pin" must be true, false or a path, but got "". Use true, or the path of a file.'],
  [{ pin: {} }, 'option "pin" must be true, false or a path, but got {}. Use true, or the path of a file.'],
  [
    { pin: broken },
    `option "pin" must be a file with the hashes of tools (the entry of a tool is not a hash such as "sha256-…"), or one that does not exist yet, but got ${JSON.stringify(broken)}. Correct or delete the file.`,
  ],
];

test.each(REFUSED)('%# is refused', (options, message) => {
  expect(() => create(options)).toThrow(`mcpBackend(): ${message}`);
});

test.each([
  {},
  { prefixMode: undefined, failureMode: undefined, serverInfo: undefined, pin: undefined },
  { prefixMode: 'always', failureMode: 'failOpen', serverInfo: { name: 'x', version: '2', title: 'X' }, pin: true },
  { pin: join(folder, 'new.json') },
])('accepted: %#', (options) => {
  expect(create(options).resolve('tool', 'one_x')).toEqual({ target: 'one', name: 'x' });
});

test('resolve() with one target, whose names are unchanged', () => {
  expect(create({ targets: { one: target } }).resolve('tool', 'a_x')).toEqual({ target: 'one', name: 'a_x' });
  expect(create({ targets: { one: target }, pin: true }).resolve('tool', 'a_x')).toEqual({
    target: 'one',
    name: 'a_x',
  });
});

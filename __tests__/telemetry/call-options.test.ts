import { describe, expect, test } from 'vitest';
import { mcpBackend, mcpHttpBackend, mcpStdioBackend } from '../../src/index.js';

const BACKENDS: Readonly<Record<string, (options: object) => unknown>> = {
  'mcpStdioBackend()': (options) => mcpStdioBackend({ command: 'x', ...options }),
  'mcpBackend()': (options) => mcpBackend({ targets: { one: { command: 'x' } }, ...options }),
  'mcpHttpBackend()': (options) => mcpHttpBackend({ url: 'http://127.0.0.1:1/', ...options }),
};

const RECORDS = 'Give a function, for example (call) => log(call).';
const CONTENT = 'Give a function, for example ({ name, params }) => ({ name, city: params.arguments?.city }).';
const REFUSED: readonly [option: string, value: unknown, quoted: string, fix: string][] = [
  ['onCall', 'log', '"log"', RECORDS],
  ['onCall', true, 'true', RECORDS],
  ['onCall', null, 'null', RECORDS],
  ['recordContent', ['city'], '["city"]', CONTENT],
  ['recordContent', true, 'true', CONTENT],
  ['recordContent', {}, '{}', CONTENT],
];

describe.each(Object.entries(BACKENDS))('%s', (who, create) => {
  test.each(REFUSED)('refuses %s: %j', (option, value, quoted, fix) => {
    expect(() => create({ [option]: value })).toThrow(
      `${who}: option "${option}" must be a function, but got ${quoted}. ${fix}`,
    );
  });

  test('accepts functions, and neither of them', () => {
    create({ onCall: undefined, recordContent: undefined });
    create({ onCall: () => undefined, recordContent: () => undefined });
  });
});

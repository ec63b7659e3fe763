import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { blockToRun } from '../support/code-blocks.js';
import { configText } from '../support/config-text.js';

test('the policies of docs/limits.md are those of the command', () => {
  const { policies } = parse(blockToRun('docs/limits.md', 'file'));
  const { binds } = parseConfigFile(configText({ route: { policies } }), '/');
  expect(binds[0]?.listeners[0]?.routes[0]?.localRateLimit?.limits).toEqual([
    { per: expect.any(Function), tokens: 60, refill: 1, every: '1s' },
    { per: 'user', tokens: 10, refill: 10, every: '1m' },
  ]);
});

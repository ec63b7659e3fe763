import { describe, expect, test } from 'vitest';
import { mcpCalls, mcpScopes } from '../../src/index.js';

describe('mcpCalls() refuses', () => {
  test.each<[string, unknown, string]>([
    ['no call', { headers: {}, url: '/', method: 'GET', socket: {} }, 'mcpCalls()'],
    ['another name', { oncall: () => undefined }, 'onCall'],
    ['a text as onCall', { onCall: 'log' }, 'mcpCalls(): option "onCall" must be a function'],
    ['a text as recordContent', { recordContent: 'all' }, 'mcpCalls(): option "recordContent" must be a function'],
    ['a size of 0', { maxBodyBytes: 0 }, 'maxBodyBytes'],
    ['a logger without methods', { logger: {} }, 'logger'],
  ])('%s', (_name, options, message) => {
    expect(() => mcpCalls(options as never)).toThrow(message);
    expect(() => mcpCalls(options as never)).toThrow(expect.objectContaining({ code: 'invalid_configuration' }));
  });

  test.each([[undefined], [{}], [{ onCall: undefined, recordContent: undefined }], [Object.create(null)]])(
    'nothing else: %o',
    (options) => {
      expect(mcpCalls(options)).toBeTypeOf('function');
    },
  );
});

test('mcpScopes() refuses an onCall that is no function', () => {
  expect(() => mcpScopes({ ping: ['a'] }, { onCall: 1 as never })).toThrow(
    'mcpScopes(): option "onCall" must be a function',
  );
});

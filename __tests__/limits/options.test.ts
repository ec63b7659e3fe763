import { describe, expect, test } from 'vitest';
import { createMemoryStore, mcpLimits } from '../../src/index.js';
import { createRedisStore } from '../../src/store/redis.js';

const good = { per: 'user', tokens: 60, refill: 60, every: '1m' };
const request = { headers: {}, url: '/', method: 'GET' };
const client = { evalSha: () => undefined, eval: () => undefined, password: 'hunter2' };

const limitsOf = (changes: object) => [{ ...good, ...changes }];
const EXAMPLE = "[{ per: 'user', tokens: 60, refill: 60, every: '1m' }]";
const EVERY = 'must be a time such as "30s", "1m", "1h30m" or "1d", up to 31 days';

const refused: readonly [string, unknown, unknown, string][] = [
  [
    'the middleware itself',
    request,
    undefined,
    `option "limits" must be an object, not a request: app.use(mcpLimits) was written without the call. Write app.use(mcpLimits(${EXAMPLE})).`,
  ],
  [
    'one limit without a list',
    good,
    {},
    `option "limits" must be a non-empty array, but got {"per":"user","tokens":60,"refill":60,"every":"1m"}. Write ${EXAMPLE}.`,
  ],
  ['nothing', undefined, {}, `option "limits" must be a non-empty array, but got undefined. Write ${EXAMPLE}.`],
  ['no limit', [], {}, `option "limits" must be a non-empty array, but got []. Write ${EXAMPLE}.`],
  ['a text as a limit', ['user'], {}, `option "limits[0]" must be an object, but got "user". Write ${EXAMPLE}.`],
  [
    'an unknown member',
    limitsOf({ refil: 1 }),
    {},
    'option "limits[0].refil" must be a known option, but got "refil". Did you mean "refill"?',
  ],
  [
    'no per',
    limitsOf({ per: undefined }),
    {},
    'option "limits[0].per" must be one of "user", "client", "key", "tool", but got undefined. Or give a function that names the bucket of a call.',
  ],
  [
    'another per',
    limitsOf({ per: 'ip' }),
    {},
    'option "limits[0].per" must be one of "user", "client", "key", "tool", but got "ip". Or give a function that names the bucket of a call.',
  ],
  [
    'no tokens',
    limitsOf({ tokens: 0 }),
    {},
    'option "limits[0].tokens" must be a whole number of at least 1, but got 0. Give the most calls at once.',
  ],
  [
    'half a token',
    limitsOf({ refill: 0.5 }),
    {},
    'option "limits[0].refill" must be a whole number of at least 1, but got 0.5. Give the calls that come back each time.',
  ],
  [
    'a refill above the tokens',
    limitsOf({ refill: 61 }),
    {},
    'option "limits[0].refill" must be at most tokens (60), but got 61. Give a smaller refill and a shorter every, or more tokens.',
  ],
  ...['60', '1 m', '1w', '0s', '32d', '', 'm', '1.5h'].map((every): [string, unknown, unknown, string] => [
    `the time ${JSON.stringify(every)}`,
    limitsOf({ every }),
    {},
    `option "limits[0].every" ${EVERY}, but got ${JSON.stringify(every)}. Give the time from one refill to the next.`,
  ]),
  [
    'a time as a number',
    limitsOf({ every: 60 }),
    {},
    `option "limits[0].every" ${EVERY}, but got 60. Give the time from one refill to the next.`,
  ],
  [
    'the same limit twice',
    [good, { ...good, every: '60s' }],
    {},
    'option "limits[1]" must be different from limits[0], which has the same per and the same numbers. Remove one of them.',
  ],
  [
    'an unknown option',
    [good],
    { redis: 1 },
    'option "redis" must be one of store, maxBodyBytes, logger, but got "redis". Remove it.',
  ],
  [
    'a body of no bytes',
    [good],
    { maxBodyBytes: 0 },
    'option "maxBodyBytes" must be a whole number of at least 1, but got 0. Leave it out for 4194304.',
  ],
  [
    'a Redis client as the store',
    [good],
    { store: client },
    'option "store" must be a store with the methods get, add, append, since, take ("get" is missing). Give createRedisStore(client) of "express-mcp-auth/redis", createMemoryStore(), or an object with these methods.',
  ],
  [
    'a store whose raise is no function',
    [good],
    { store: { ...createMemoryStore(), raise: true } },
    'option "store.raise" must be a function, or left out. Give createRedisStore(client) of "express-mcp-auth/redis", createMemoryStore(), or an object with these methods.',
  ],
];

describe('mcpLimits() refuses', () => {
  test.each(refused)('%s', (_case, limits, options, message) => {
    expect(() => mcpLimits(limits as never, options as never)).toThrow(
      expect.objectContaining({ name: 'ConfigError', message: `mcpLimits(): ${message}` }),
    );
  });

  test.each<[string, unknown]>([
    ['no options', undefined],
    ['empty ones', {}],
    ['undefined ones', { store: undefined, maxBodyBytes: undefined, logger: undefined }],
    ['ones without a prototype', Object.create(null)],
  ])('nothing of %s', (_case, options) => {
    expect(mcpLimits([good] as never, options as never)).toBeInstanceOf(Function);
  });

  test('no two limits that differ in a number or in their functions', () => {
    const others = [
      { tokens: 61 },
      { refill: 1 },
      { every: '1h' },
      { per: 'tool' },
      { per: () => 'a' },
      { per: () => 'a' },
    ];
    expect(mcpLimits([good, ...others.map((other) => ({ ...good, ...other }))] as never)).toBeInstanceOf(Function);
  });
});

describe('createRedisStore() refuses', () => {
  const CLIENT =
    'option "client" must be a client of the package "redis" or "iovalkey". Give what createClient() of "redis" or new Redis() of "iovalkey" returned.';
  test.each<[string, unknown, unknown, string]>([
    ['no client', undefined, undefined, CLIENT],
    ['a URL', 'redis://:hunter2@localhost', undefined, CLIENT],
    ['the options of a client', { url: 'redis://:hunter2@localhost' }, undefined, CLIENT],
    [
      'an unknown option',
      client,
      { keyPrefix: 'a' },
      'option "keyPrefix" must be a known option, but got "keyPrefix". Did you mean "prefix"?',
    ],
    [
      'an empty prefix',
      client,
      { prefix: '' },
      'option "prefix" must be a non-empty string, but got "". Leave it out for "express-mcp-auth".',
    ],
    [
      'braces in the prefix',
      client,
      { prefix: '{a}' },
      'option "prefix" must be a name without braces, but got "{a}". Leave it out for "express-mcp-auth".',
    ],
  ])('%s', (_case, given, options, message) => {
    expect(() => createRedisStore(given as never, options as never)).toThrow(
      expect.objectContaining({ name: 'ConfigError', message: `createRedisStore(): ${message}` }),
    );
  });
});

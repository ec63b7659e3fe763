import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { createMemoryStore, type Limit, mcpScopes } from '../../src/index.js';
import {
  ada,
  bob,
  type Caller,
  createLimitedApp,
  headersOf,
  home,
  hourly,
  ping,
  post,
  statuses,
  tool,
  work,
} from '../support/limited-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';

describe('each limit has a bucket', () => {
  test.each<[string, Limit['per'], [Caller, unknown?][], number[]]>([
    ['for each user, whatever the client', 'user', [[ada], [{ ...ada, clientId: 'b' }], [bob]], [200, 429, 200]],
    [
      'for each client, for all its users together',
      'client',
      [[{ ...ada, clientId: 'a' }], [{ ...bob, clientId: 'a' }], [{ ...ada, clientId: 'b' }]],
      [200, 429, 200],
    ],
    [
      'for each user, if the token names no client',
      'client',
      [[{ ...ada, clientId: '' }], [{ ...ada, clientId: '' }], [{ ...bob, clientId: '' }]],
      [200, 429, 200],
    ],
    ['for each user, if they have no API key', 'key', [[ada], [ada], [bob]], [200, 429, 200]],
    ['for each address of an anonymous caller', 'user', [[home], [home], [work], [ada]], [200, 429, 200, 200]],
    [
      'for each network of IPv6, not for each address',
      'client',
      [[{ address: '2001:db8:1::1' }], [{ address: '2001:db8:1:0:9::2' }], [{ address: '2001:db8:2::1' }]],
      [200, 429, 200],
    ],
    [
      'for each tool, for all callers together',
      'tool',
      [
        [ada, tool('a')],
        [bob, tool('a')],
        [bob, tool('b')],
        [ada, ping],
        [ada, ping],
      ],
      [200, 429, 200, 200, 200],
    ],
    [
      'for each tool of anonymous callers, apart from that of known ones',
      'tool',
      [
        [home, tool('a')],
        [work, tool('a')],
        [ada, tool('a')],
      ],
      [200, 429, 200],
    ],
    [
      'for each text that a function returns, and for none if it returns undefined',
      (auth, call) => (call?.target === undefined ? undefined : `${auth?.subject} ${call.target}`),
      [
        [ada, tool('a')],
        [ada, tool('a')],
        [ada, tool('b')],
        [bob, tool('a')],
        [ada, ping],
        [ada, ping],
      ],
      [200, 429, 200, 200, 200, 200],
    ],
    [
      'for anonymous callers of a function, apart from that of known ones',
      () => 'all',
      [[home], [work], [ada], [bob]],
      [200, 429, 200, 429],
    ],
  ])('%s', async (_case, per, requests, expected) => {
    expect(await statuses(createLimitedApp([hourly(per, 1)]), requests)).toEqual(expected);
  });
});

describe('what counts', () => {
  test('a batch counts as its calls, and passes whole or not at all', async () => {
    const app = createLimitedApp([hourly('user', 4)]);
    const batch = (size: number) => Array.from({ length: size }, (_call, id) => ({ ...ping, id }));
    expect(
      await statuses(app, [
        [ada, batch(3)],
        [ada, batch(2)],
        [ada, ping],
        [ada, ping],
      ]),
    ).toEqual([200, 429, 200, 429]);
  });

  test('the tools of a batch take from their own buckets', async () => {
    const app = createLimitedApp([hourly('tool', 2)]);
    const seen = await statuses(app, [
      [ada, ['a', 'b', 'a'].map(tool)],
      [ada, tool('a')],
      [ada, tool('b')],
      [ada, tool('b')],
    ]);
    expect(seen).toEqual([200, 429, 200, 429]);
  });

  test('a batch with more calls than a limit lets through never passes, so there is no Retry-After', async () => {
    const response = await post(createLimitedApp([hourly('user', 2)]), ada, [ping, ping, ping]);
    expect([response.status, response.headers['retry-after']]).toEqual([429, undefined]);
    expect(response.body.error.message).toBe(
      'Too many requests (mcpLimits): the batch has more calls than a limit lets through at once',
    );
  });

  test('GET and DELETE count as one call each, a notification and an answer too, OPTIONS does not', async () => {
    const app = createLimitedApp([hourly('user', 4)]);
    const send = async (method: 'get' | 'delete' | 'options') =>
      (await request(app)[method]('/mcp').set(headersOf(ada))).status;
    expect([await send('options'), await send('get'), await send('delete')]).toEqual([200, 200, 200]);
    const notification = { jsonrpc: '2.0', method: 'notifications/initialized' };
    const answer = { jsonrpc: '2.0', id: 1, result: {} };
    expect(
      await statuses(app, [
        [ada, notification],
        [ada, answer],
        [ada, notification],
      ]),
    ).toEqual([200, 200, 429]);
    expect([await send('get'), await send('options')]).toEqual([429, 200]);
  });

  test('a message that two readers could read differently is refused, and does not count', async () => {
    const app = createLimitedApp([hourly('tool', 1)]);
    const ambiguous = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}';
    expect(
      await statuses(app, [
        [ada, ambiguous],
        [ada, '{'],
        [ada, tool('a')],
        [ada, tool('a')],
      ]),
    ).toEqual([400, 400, 200, 429]);
  });

  test('all limits must pass, and a request that is refused takes from none', async () => {
    const app = createLimitedApp([hourly('user', 3), hourly('tool', 1)]);
    const requests: [Caller, unknown?][] = [
      [ada, tool('a')],
      [ada, tool('a')],
      [ada, tool('a')],
      [ada, tool('b')],
      [ada],
      [ada],
    ];
    expect(await statuses(app, requests)).toEqual([200, 429, 429, 200, 200, 429]);
  });

  test('a call that mcpScopes() denies does not count', async () => {
    const app = createLimitedApp([hourly('user', 1)], { before: [mcpScopes({ 'tools/call': { drop: ['admin'] } })] });
    expect(
      await statuses(app, [
        [ada, tool('drop')],
        [ada, tool('a')],
        [ada, tool('a')],
      ]),
    ).toEqual([403, 200, 429]);
  });
});

describe('the answer', () => {
  test.each<[string, unknown, unknown]>([
    ['of the call, if it is a number', ping, 7],
    ['of the call, if it is a text', tool('a', '1"'), '1"'],
    ['null for a batch', [ping], null],
    ['null for an id that JSON parsing has rounded', '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', null],
  ])('is a JSON-RPC error with 429 and Retry-After; its id is that %s', async (_case, message, id) => {
    const app = createLimitedApp([{ per: 'user', tokens: 1, refill: 1, every: '90s' }]);
    await post(app, ada);
    const response = await post(app, ada, message);
    expect(response.status).toBe(429);
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(60);
    expect(Number(response.headers['retry-after'])).toBeLessThanOrEqual(90);
    expect(response.body).toEqual({
      jsonrpc: '2.0',
      id,
      error: { code: -32000, message: 'Too many requests (mcpLimits)', data: { reason: 'limit_exceeded' } },
    });
  });

  const FIX = 'callers wait as Retry-After says. If they need more, raise its numbers';

  test.each([
    ['the limit that has too few tokens', {}, 'limits[1] (per user: 1 at once, 1 back every 3600 s)'],
    [
      'all limits that count the call, if a store counts',
      { store: createMemoryStore() },
      'limits[0] (per user: 5 at once, 1 back every 3600 s) or limits[1] (per user: 1 at once, 1 back every 3600 s)',
    ],
  ])('is logged once a minute, with %s, and never names the caller', async (_case, options, limits) => {
    const { lines, logger } = createRecordingLogger();
    const never = hourly(() => undefined, 1);
    const app = createLimitedApp([hourly('user', 5), hourly('user', 1), never], { ...options, logger });
    await statuses(app, [[ada], [ada], [ada]]);
    expect(lines).toEqual([
      `warn mcpLimits(): answered 429 (limit_exceeded): ${limits}: its tokens are used up: ${FIX}`,
    ]);
  });

  test('is logged for each limit', async () => {
    const { lines, logger } = createRecordingLogger();
    const app = createLimitedApp([hourly('tool', 1), hourly('user', 2)], { logger });
    await statuses(app, [
      [ada, tool('a')],
      [ada, tool('a')],
      [ada, tool('b')],
      [ada, tool('c')],
      [ada, [tool('d'), tool('d')]],
    ]);
    expect(lines.map((line) => /limits\[.*\): (.*?):/.exec(line)?.slice(0, 2))).toEqual([
      ['limits[0] (per tool: 1 at once, 1 back every 3600 s): its tokens are used up:', 'its tokens are used up'],
      ['limits[1] (per user: 2 at once, 1 back every 3600 s): its tokens are used up:', 'its tokens are used up'],
    ]);
  });
});

import express, { type RequestHandler } from 'express';
import { describe, expect, test } from 'vitest';
import { createMemoryStore, type Middleware, mcpScopes } from '../../src/index.js';
import { ada, createLimitedApp, home, hourly, ping, post, statuses } from '../support/limited-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';

describe('the body', () => {
  test.each<[string, readonly (Middleware | RequestHandler)[]]>([
    ['alone', []],
    ['after express.json()', [express.json()]],
    ['after mcpScopes()', [mcpScopes({ 'tools/call': ['mcp'] }) as Middleware]],
  ])('reaches the server as it was sent, and is counted as it is: %s', async (_case, before) => {
    const app = createLimitedApp([hourly('tool', 1)], { before });
    const message = { jsonrpc: '2.0', id: 1, method: 'ping', params: { text: 'é' } };
    expect((await post(app, ada, message)).body).toEqual({ body: message });
  });

  test('over maxBodyBytes is answered 413', async () => {
    const app = createLimitedApp([hourly('user', 9)], { maxBodyBytes: 60 });
    expect(
      await statuses(app, [
        [ada, ping],
        [ada, { ...ping, params: { text: 'x'.repeat(60) } }],
      ]),
    ).toEqual([200, 413]);
  });

  test('that a middleware replaced after mcpScopes() is counted again', async () => {
    const replace: RequestHandler = (req, _res, next) => {
      req.body = [ping, ping];
      next();
    };
    const readAll: RequestHandler = (req, _res, next) => void req.on('end', () => next()).resume();
    const app = createLimitedApp([hourly('user', 3)], {
      before: [mcpScopes({ ping: ['a'] }) as Middleware, readAll, replace],
    });
    const caller = { sub: 'ada', claims: { scope: 'a' } };
    expect(await statuses(app, [[caller], [caller]])).toEqual([200, 429]);
  });
});

/** A function that throws this. */
const throwing = (value: unknown) => () => {
  throw value as Error;
};

const REFUSED = 'mcpLimits(): a function in "per" must return a non-empty string or undefined, but returned';

describe('functions', () => {
  test.each<[string, unknown, string]>([
    ['throws', throwing(new Error('no tenant')), 'no tenant'],
    ['throws undefined', throwing(undefined), 'mcpLimits() failed'],
    ['returns a number', () => 1, `${REFUSED} a value of type number`],
    ['returns an empty text', () => '', `${REFUSED} an empty string`],
    ['returns null', () => null, `${REFUSED} null`],
    [
      'is async and rejects',
      async () => {
        throw new Error('x');
      },
      `${REFUSED} a promise: it must be synchronous`,
    ],
  ])('one that %s lets nothing through', async (_case, per, failed) => {
    const response = await post(createLimitedApp([hourly(per as never, 1)]), ada);
    expect([response.status, response.body]).toEqual([500, { failed }]);
  });
});

describe('store', () => {
  test('two mcpLimits() with one store and the same limits count together, and others do not', async () => {
    const store = createMemoryStore();
    const [one, two] = [
      createLimitedApp([hourly('user', 2)], { store }),
      createLimitedApp([hourly('user', 2)], { store }),
    ];
    const other = createLimitedApp([hourly('user', 3)], { store });
    expect([...(await statuses(one, [[ada]])), ...(await statuses(two, [[ada], [ada]]))]).toEqual([200, 200, 429]);
    expect(await statuses(other, [[ada], [home]])).toEqual([200, 200]);
  });

  test.each<[string, () => unknown]>([
    ['throws', throwing(new Error('down'))],
    ['rejects', () => Promise.reject(new Error('down'))],
    ['answers with a text', () => 'yes'],
    ['answers with an endless wait', () => Number.POSITIVE_INFINITY],
    ['answers with a wait that no header can say', () => 1e300],
  ])('while one %s, each process counts for itself, and says so once', async (_case, take) => {
    const { lines, logger } = createRecordingLogger();
    const app = createLimitedApp([hourly('user', 2)], { store: { ...createMemoryStore(), take } as never, logger });
    expect(await statuses(app, [[ada], [ada], [ada]])).toEqual([200, 200, 429]);
    const complaints = lines.filter((line) => line.startsWith('error'));
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(
      /^error mcpLimits\(\): the store cannot be used: .+\. Until it can, this process counts its own calls only$/,
    );
  });
});

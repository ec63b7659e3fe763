import { expect, test } from 'vitest';
import { chain } from '../../src/gateway/chain.js';
import type { Middleware } from '../../src/index.js';
import { serve } from '../support/loopback-server.js';

/** Sends a request through these middlewares; returns the answer, which says what was called. */
async function send(...middlewares: Middleware[]): Promise<string> {
  const through = chain(middlewares);
  const origin = await serve((req, res) => through(req, res, (error) => res.end(`next(${error ?? ''})`)));
  return (await fetch(origin)).text();
}

const pass: Middleware = (_req, res, next) => {
  res.setHeader('x-passed', 'yes');
  next();
};
const answer: Middleware = (_req, res) => void res.end(`answered, passed: ${res.getHeader('x-passed') ?? 'no'}`);

test('each is called after the one before it, until one answers', async () => {
  expect(await send(pass, pass, answer, () => expect.unreachable())).toBe('answered, passed: yes');
});

test('calls next() if none answers', async () => {
  expect([await send(), await send(pass)]).toEqual(['next()', 'next()']);
});

test.each<[name: string, fail: Middleware, expected: string]>([
  ['passed on', (_req, _res, next) => next('broken'), 'next(broken)'],
  ['passed on later', (_req, _res, next) => void setImmediate(next, 'broken'), 'next(broken)'],
  [
    'thrown',
    () => {
      throw new Error('broken');
    },
    'next(Error: broken)',
  ],
])('an error that is %s skips the rest', async (_name, fail, expected) => {
  expect(await send(pass, fail, answer)).toBe(expected);
});

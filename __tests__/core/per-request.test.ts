import type { IncomingMessage, RequestListener } from 'node:http';
import { PassThrough } from 'node:stream';
import express from 'express';
import { describe, expect, test } from 'vitest';
import { createPerRequest, createPerRequestMember } from '../../src/core/per-request.js';
import { serve } from '../support/loopback-server.js';

/** Returns what `look` finds while a real request is answered. */
async function during<T>(
  look: (req: IncomingMessage) => T,
  inside: (handler: RequestListener) => RequestListener,
): Promise<T | undefined> {
  let found: T | undefined;
  const url = await serve(
    inside((req, res) => {
      found = look(req);
      res.end();
    }),
  );
  await fetch(url);
  return found;
}

const SERVERS: [string, (handler: RequestListener) => RequestListener][] = [
  ['of node:http', (handler) => handler],
  ['of Express', (handler) => express().use(handler)],
];

const CREATORS = { createPerRequest, createPerRequestMember };
const CASES = SERVERS.flatMap(([name, inside]) =>
  Object.entries(CREATORS).map(([creator, create]) => [name, creator, inside, create] as const),
);

describe.each(CASES)('a value for a request %s, %s()', (_name, _creator, inside, create) => {
  test('is that of the request and of what was made from it, but not of a Proxy', async () => {
    const values = create<string>();
    const other = create<string>();
    const found = await during((req) => {
      values.set(req, 'first');
      values.set(req, 'second');
      const derived = Object.create(req);
      return [values.get(req), values.get(derived), values.get(new Proxy(req, {})), other.get(req)];
    }, inside);
    expect(found).toEqual(['second', 'second', undefined, undefined]);
  });

  test('is that of what was made from the request and has members of its own', async () => {
    const values = create<string>();
    const found = await during((req) => {
      values.set(req, 'first');
      const copies = [
        Object.assign(Object.create(req), { headers: {}, rawHeaders: [] }),
        Object.assign(Object.create(req), req),
        Object.setPrototypeOf(new PassThrough(), req),
      ];
      return copies.map((copy) => values.get(copy));
    }, inside);
    expect(found).toEqual(['first', 'first', 'first']);
  });

  test('is hidden by undefined in what was made from the request', async () => {
    const values = create<string>();
    const found = await during((req) => {
      values.set(req, 'its own');
      const derived = Object.create(req);
      values.set(derived, undefined);
      return [values.get(req), values.get(derived)];
    }, inside);
    expect(found).toEqual(['its own', undefined]);
  });

  test('stays when another prototype is set, and is no property', async () => {
    const values = create<string>();
    const found = await during((req) => {
      const before = Reflect.ownKeys(req).length;
      values.set(req, 'first');
      Object.setPrototypeOf(req, express().request);
      const kept = values.get(req);
      values.set(req, 'second');
      return [kept, values.get(req), Reflect.ownKeys(req).length - before];
    }, inside);
    expect(found).toEqual(['first', 'second', 0]);
  });
});

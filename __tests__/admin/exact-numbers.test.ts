import express from 'express';
import { expect, test } from 'vitest';
import { SCHEMA, STRUCTURED, serveNumbers } from '../support/exact-numbers.js';

test.each([
  '{"id":1234567890123456789}',
  '{"id":-9223372036854775808}',
  '{"id":1e400}',
  '{"id":1e-400}',
  '{"id":1.0}',
  '{"id":-0}',
  '{"id":0.12345678901234567890}',
  '{"ids":[{"id":1234567890123456789}]}',
])('a tool is called with the numbers as they are written: %s', async (args) => {
  const { call, given } = await serveNumbers();
  expect(await call(args)).toMatchObject({ status: 200 });
  expect(given).toEqual([args]);
});

test('of two members "arguments", the last one counts, as in the check of it', async () => {
  const { call, given } = await serveNumbers();
  expect((await call('{"id":1},"arguments":{"id":2}')).status).toBe(200);
  expect((await call('{"id":1},"\\u0061rguments":{"id":3}')).status).toBe(200);
  expect(given).toEqual(['{"id":2}', '{"id":3}']);
});

test('results and schemas have the numbers that the server wrote', async () => {
  const { call, ui } = await serveNumbers();
  expect((await call('{}')).text).toContain(`"structuredContent":${STRUCTURED}`);
  const listed = await fetch(`${ui}api/tools`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: new URL(ui).origin },
    body: '{"route":"/mcp"}',
  });
  expect(await listed.text()).toBe(`{"tools":[{"name":"numbers","inputSchema":${SCHEMA}}]}`);
});

test.each([
  ['{"id":1234567890123456789}', 400],
  ['{"ids":[{"id":1e400}]}', 400],
  ['{"id":9007199254740991,"share":0.1}', 200],
])('behind a body parser of the application, which rounds, %s is answered %i', async (args, status) => {
  const { call, given } = await serveNumbers([express.json()]);
  const answer = await call(args);
  expect(answer.status).toBe(status);
  expect(given).toEqual(status === 200 ? [args] : []);
  if (status === 400)
    expect(JSON.parse(answer.text)).toEqual({
      error: 'invalid_body',
      error_description:
        'A number in "arguments" cannot be sent exactly: a body parser of the application runs before the page, and rounds it',
    });
});

test('behind a body parser that keeps the bytes, numbers are sent as they are written', async () => {
  const { call, given } = await serveNumbers([express.raw({ type: 'application/json' })]);
  expect(await call('{"id":1234567890123456789}')).toMatchObject({ status: 200 });
  expect(given).toEqual(['{"id":1234567890123456789}']);
});

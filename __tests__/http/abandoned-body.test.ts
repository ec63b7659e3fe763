import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { readBody } from '../../src/http/body.js';
import { peekBody } from '../../src/http/peek-body.js';
import { serve } from '../support/loopback-server.js';
import { until } from '../support/until.js';

const UNFINISHED = { status: 400, message: 'The request ended before its body did' };
const readers = { readBody, peekBody };

/** Sends a part of a body of two bytes. The function returned hangs up. */
function begin(url: string, sent: string): () => void {
  const headers = { 'content-type': 'application/json', 'content-length': 2 };
  const leaving = request(url, { method: 'POST', headers }).on('error', () => undefined);
  if (sent === '') leaving.flushHeaders();
  else leaving.write(sent);
  return () => void leaving.destroy();
}

describe.each(Object.entries(readers))('%s()', (_name, read) => {
  test.each([
    ['whole', '{}'],
    ['half', '{'],
    ['missing', ''],
  ])('a %s body that is read only after its client left fails at once', async (_which, sent) => {
    let failure: unknown;
    let arrived = false;
    const url = await serve(async (req) => {
      arrived = true;
      await until(() => req.destroyed);
      failure = await read(req, 100).catch((error) => error);
    });
    const leave = begin(url, sent);
    await until(() => arrived);
    leave();
    await until(() => failure !== undefined, 2_000);
    expect(failure).toMatchObject(UNFINISHED);
  });

  test.each([
    ['half', '{'],
    ['missing', ''],
  ])('a %s body whose client leaves while it is read fails at once', async (_which, sent) => {
    let failure: unknown;
    let isReading = false;
    const url = await serve(async (req) => {
      const reading = read(req, 100).catch((error) => error);
      isReading = true;
      failure = await reading;
    });
    const leave = begin(url, sent);
    await until(() => isReading);
    leave();
    await until(() => failure !== undefined, 2_000);
    expect(failure).toMatchObject(UNFINISHED);
  });
});

import { request } from 'node:http';
import { expect, test } from 'vitest';
import { readBody } from '../../src/http/body.js';
import { serve } from '../support/loopback-server.js';
import { until } from '../support/until.js';

test.each([
  ['whole', '{}'],
  ['half', '{'],
])('a %s body that is read only after its client left fails at once', async (_which, sent) => {
  let failure: unknown;
  let arrived = false;
  const url = await serve(async (req) => {
    arrived = true;
    await until(() => req.destroyed);
    failure = await readBody(req, 100).catch((error) => error);
  });
  const headers = { 'content-type': 'application/json', 'content-length': 2 };
  const leaving = request(url, { method: 'POST', headers }).on('error', () => undefined);
  leaving.write(sent);
  await until(() => arrived);
  leaving.destroy();
  await until(() => failure !== undefined, 2_000);
  expect(failure).toMatchObject({ status: 400, message: 'The request ended before its body did' });
});

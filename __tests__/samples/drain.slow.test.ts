import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { freePort } from '../support/loopback-server.js';
import { messagesOf } from '../support/mcp-answers.js';
import { call, initialize, open, post } from '../support/mcp-requests.js';
import { endPrograms, ROOT, startNode } from '../support/program.js';
import { until } from '../support/until.js';

const issuer = createTestIssuer();
beforeAll(() => issuer.listen());
afterAll(async () => {
  await issuer.close();
  await endPrograms();
});

test('samples/drain.ts: at SIGTERM it is not ready, a call in progress finishes, and it ends', async () => {
  const env = { PORT: `${await freePort()}`, ISSUER: issuer.issuer };
  const program = startNode([`${ROOT}build/samples/drain.js`], { env });
  const [, url = ''] = await program.says(/Listening on (\S+)/);
  const headers = { authorization: `Bearer ${issuer.tokenFor(url, { sub: 'alice' })}` };
  const readiness = async () => (await fetch(new URL('/readyz', url))).status;
  expect(await readiness()).toBe(200);
  const session = await open(url, headers);
  const answer = post(url, call(1, 'trigger-long-running-operation', { duration: 8, steps: 3 }), session);
  await post(url, call(2, 'echo', { message: 'hello' }), session);
  const stopped = program.stop('SIGTERM');
  await until(async () => (await readiness()) === 503);
  expect((await post(url, initialize(), headers)).status).toBe(503);
  expect(await messagesOf(await answer)).toEqual([expect.objectContaining({ id: 1, result: expect.anything() })]);
  expect(await stopped).toBe(0);
});

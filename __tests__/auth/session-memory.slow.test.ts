import { expect, test } from 'vitest';
import { ask, startSessionApp, UNKNOWN_SESSION, userOf } from '../support/session-app.js';

const served = { status: 200, body: '{"served":true}' };

test('a user with more than 1,024 sessions loses the longest unused, and no other user loses any', async () => {
  const { url, open } = await startSessionApp();
  const ofAlice = await open('alice');
  const headers = userOf('mallory');
  const ids: string[] = [];
  while (ids.length < 1_030) {
    const replies = await Promise.all(Array.from({ length: 10 }, () => ask(url, undefined, undefined, { headers })));
    for (const { id = '' } of replies) ids.push(id);
  }
  expect(await ask(url, 'bob', ofAlice)).toEqual(UNKNOWN_SESSION);
  expect(await ask(url, 'alice', ofAlice)).toMatchObject(served);
  expect(await ask(url, 'bob', ids.at(-1))).toEqual(UNKNOWN_SESSION);
  expect(await ask(url, 'bob', ids[0])).toMatchObject(served);
});

import { expect, test } from 'vitest';
import { messagesOf } from '../support/mcp-answers.js';
import { call, open, post } from '../support/mcp-requests.js';
import { answerEvent, beginEvents, serveTarget, startSessionTarget } from '../support/remote-target.js';

const ADA = { authorization: 'Bearer ada' };
const LONG = 'x'.repeat(5_000);
const NO_MESSAGE =
  'mcpBackend(): one: an answer over maxMessageBytes is not an MCP message: it does not begin like one';

test.each<[what: string, noise: string, logged: readonly string[]]>([
  ['an event', `data: ${LONG}\n\n`, [`warn ${NO_MESSAGE}`]],
  ['a comment', `:${LONG}\n\n`, []],
  ['a comment within the answer', `:${LONG}\n`, []],
])('%s of a remote server that is over the limit, and no message, fails no call', async (_what, noise, logged) => {
  const target = await startSessionTarget(({ id }, res) =>
    beginEvents(res, `${noise}${answerEvent(id, { text: 'x' })}`).end(),
  );
  const { url, lines } = await serveTarget(target.url, {}, { maxMessageBytes: 1_000 });
  const [answer] = await messagesOf(await post(url, call(1, 'x'), await open(url, ADA)));
  expect(answer).toMatchObject({ id: 1, result: { text: 'x' } });
  expect(lines.filter((line) => line.startsWith('warn'))).toEqual(logged);
});

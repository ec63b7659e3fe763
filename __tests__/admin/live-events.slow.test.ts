import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { servePageAlone } from '../support/admin-app.js';
import { callRecord, publishCall, publishDecision } from '../support/call-records.js';

const calls = channel('express-mcp-auth:call');

/** Opens the stream of a page, and reads nothing of it until `resume()`. */
async function connectWithoutReading(url: string): Promise<IncomingMessage> {
  const sent = request(`${url}api/events`)
    .on('error', () => undefined)
    .end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  onTestFinished(() => void sent.destroy());
  return response.pause();
}

test('a page that does not read is disconnected, and others go on', async () => {
  const { url, events } = await servePageAlone();
  const response = await connectWithoutReading(url);
  const stream = await events();
  // 225 kilobytes, of which four are sent at once, and twenty in a second: more than the buffers of the sockets in four seconds.
  const members = Object.fromEntries(Array.from({ length: 750 }, (_, n) => [`member${n}`, 'x'.repeat(300)]));
  for (let sent = 0; sent < 80; sent++) {
    if (sent % 20 === 0) await stream.next('numbers');
    calls.publish({ ...members, ...callRecord({ outcome: 'denied' }) });
    if (sent % 4 === 3) for (let i = 0; i < 4; i++) await stream.next('call');
  }
  const cutOff = expect(once(response, 'end')).rejects.toThrow('aborted');
  response.resume();
  await cutOff;
  expect(await stream.next('numbers')).toBeDefined();
});

test('the stream of a page that does not read ends too when its operator is no longer allowed', async () => {
  let isOperator = true;
  const { url } = await servePageAlone(() => isOperator);
  const response = await connectWithoutReading(url);
  const members = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`member${n}`, 'x'.repeat(300)]));
  for (let sent = 0; sent < 10; sent++) calls.publish({ ...members, ...callRecord({ outcome: 'denied' }) });
  isOperator = false;
  await new Promise((resolve) => setTimeout(resolve, 12_500));
  response.resume();
  await expect(once(response, 'end')).rejects.toThrow('aborted');
}, 30_000);

test('the stream of a page ends when its operator is no longer allowed', async () => {
  let isOperator = true;
  const { url, events } = await servePageAlone(() => isOperator);
  const stream = await events();
  await stream.next('numbers');
  isOperator = false;
  await expect(stream.rest()).rejects.toThrow('terminated');
  expect((await fetch(`${url}api/events`)).status).toBe(403);
}, 30_000);

test('the decisions that let calls pass leave room for the calls, and these for them', async () => {
  const { events } = await servePageAlone();
  const stream = await events();
  await stream.next('numbers');
  for (let i = 0; i < 100; i++) publishDecision({ outcome: 'passed' });
  for (let i = 0; i < 100; i++) publishCall();
  publishDecision({ outcome: 'anonymous' });
  publishDecision({ outcome: 'refused' });
  expect(await stream.next('call')).toMatchObject({ outcome: 'answered' });
  expect(await stream.next('decision')).toMatchObject({ outcome: 'refused' });
  expect(await stream.next('sampled')).toEqual({ seen: 202, shown: 41 });
});

type Publish = readonly [kind: string, publish: () => void];
const kinds: readonly Publish[] = [
  ['calls', () => publishCall()],
  ['failed calls', () => publishCall({ outcome: 'denied' })],
  ['accepted logins', () => publishDecision({ outcome: 'passed' })],
  ['refused logins', () => publishDecision({ outcome: 'refused' })],
];

test.each(kinds)('a flood of %s hides no event of another kind', async (kind, publish) => {
  const { events } = await servePageAlone();
  const stream = await events();
  await stream.next('numbers');
  for (let i = 0; i < 100; i++) publish();
  for (const [other, publishOther] of kinds) if (other !== kind) for (let i = 0; i < 10; i++) publishOther();
  expect(await stream.next('sampled')).toEqual({ seen: 130, shown: 50 });
});

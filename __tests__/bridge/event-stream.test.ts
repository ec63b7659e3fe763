import type { ServerResponse } from 'node:http';
import { expect, test, vi } from 'vitest';
import { EventLog } from '../../src/bridge/answers/event-log.js';
import { EventStream } from '../../src/bridge/answers/event-stream.js';
import type { OpenAnswer } from '../../src/bridge/answers/open-answer.js';
import { PostResponse, type ResponsePlan } from '../../src/bridge/answers/post-response.js';
import { type AuthInfo, issueAuth } from '../../src/core/auth-info.js';
import { serve } from '../support/loopback-server.js';
import { until } from '../support/until.js';

/** Returns what a client receives if `write` writes the response. */
async function received(write: (res: ServerResponse) => void): Promise<{ type: string | null; text: string }> {
  const response = await fetch(await serve((_req, res) => write(res)));
  return { type: response.headers.get('content-type'), text: await response.text() };
}

const answerOn = (res: ServerResponse, auth?: AuthInfo): OpenAnswer => ({
  req: res.req,
  res,
  auth,
  breakOff: (_res, thrown) => {
    throw thrown;
  },
});
const planFor = (res: ServerResponse, plan: Partial<ResponsePlan> = {}): ResponsePlan => ({
  request: answerOn(res),
  json: true,
  stream: true,
  responses: 1,
  batch: false,
  openStream: () => new EventStream(),
  pauseFor: () => undefined,
  ...plan,
});
const CALLER: AuthInfo = { token: 'a', clientId: 'b', scopes: [], extra: {}, header: {}, payload: {} };
const message = Buffer.from('{"id":1}');

test('a quiet stream gets comments until the token of its request expires', async () => {
  const { text } = await received((res) => {
    const stream = new EventStream();
    stream.attach(answerOn(res, issueAuth({ ...CALLER, expiresAt: Date.now() / 1_000 + 60 })));
    stream.tick(false);
    stream.tick(true);
    stream.send(message);
    stream.tick(true);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    stream.tick(true);
    vi.useRealTimers();
    stream.send(message);
  });
  expect(text).toBe(':\n\ndata: {"id":1}\n\n:\n\n');
});

test('a connection that closes late does not take back the answer that its successor has sent', async () => {
  const log = new EventLog();
  const stream = new EventStream({ log, number: 1, sendsInitialEvent: () => false });
  let first: ServerResponse | undefined;
  const url = await serve((_req, res) => {
    const isFirst = first === undefined;
    first ??= res;
    // Its `close` comes later.
    if (!isFirst) first.socket?.destroy();
    stream.attach(answerOn(res));
    if (isFirst) stream.send(Buffer.alloc(2_000_000, 'x'), true);
    else {
      stream.replay(0);
      stream.end();
    }
  });
  const broken = fetch(url).then((response) => response.text().catch(() => undefined));
  await until(() => first !== undefined);
  expect(await (await fetch(url)).text()).toMatch(/^id: 1-1\ndata: x+\n\n$/);
  await broken;
  log.tick(performance.now() + 61_000);
  expect(log.has(1), 'when it counts as delivered').toBe(false);
});

test('nothing more is written to a response that a function of the application has ended before it threw', async () => {
  const log = new EventLog();
  const stream = new EventStream({ log, number: 1, sendsInitialEvent: () => false });
  for (const text of ['a', 'b', 'c']) stream.send(Buffer.from(text));
  const thrown: unknown[] = [];
  const errors: unknown[] = [];
  const url = await serve((_req, res) => {
    res.on('error', (error) => errors.push(error));
    stream.attach({ ...answerOn(res), breakOff: (_res, error) => thrown.push(error) });
    res.write = () => {
      res.end();
      throw new Error('write');
    };
    stream.replay();
  });
  await (await fetch(url)).text();
  expect(thrown).toEqual([new Error('write')]);
  expect(errors).toEqual([]);
  const again = await serve((_req, res) => {
    stream.attach(answerOn(res));
    stream.replay();
    stream.end();
  });
  expect(await (await fetch(again)).text(), 'what was not written is still to be sent').toContain('data: c');
});

test('a quiet answer becomes a stream, so that no proxy closes its connection', async () => {
  const answer = await received((res) => {
    const quiet = new PostResponse(planFor(res));
    quiet.tick(performance.now() + 20_000, false);
    quiet.tick(performance.now() + 20_000, true);
    quiet.respond(message);
  });
  expect(answer).toEqual({ type: 'text/event-stream', text: 'data: {"id":1}\n\n' });
});

test('an answer that has not been quiet for long stays JSON', async () => {
  const answer = await received((res) => {
    const recent = new PostResponse(planFor(res));
    recent.tick(performance.now() + 1_000, true);
    recent.respond(message);
  });
  expect(answer).toEqual({ type: 'application/json', text: '{"id":1}' });
});

test('an answer to a client that accepts no streams stays JSON', async () => {
  const answer = await received((res) => {
    const quiet = new PostResponse(planFor(res, { stream: false }));
    quiet.tick(performance.now() + 20_000, true);
    quiet.respond(message);
  });
  expect(answer).toEqual({ type: 'application/json', text: '{"id":1}' });
});

test('an answer to a client that accepts only streams is a stream', async () => {
  const answer = await received((res) => new PostResponse(planFor(res, { json: false })).respond(message));
  expect(answer).toEqual({ type: 'text/event-stream', text: 'data: {"id":1}\n\n' });
});

test('an answer that another middleware sent stays as it is', async () => {
  const answer = await received((res) => {
    const late = new PostResponse(planFor(res));
    res.writeHead(503, { 'content-type': 'text/plain' }).end('timed out');
    late.tick(performance.now() + 20_000, true);
    late.notify(message);
    late.respond(message);
  });
  expect(answer).toEqual({ type: 'text/plain', text: 'timed out' });
});

import type { ServerResponse } from 'node:http';
import { EventSource } from 'undici';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createAdminSite } from '../../src/admin/admin-site.js';
import { publishCall } from '../support/call-records.js';
import { serve } from '../support/loopback-server.js';
import { until } from '../support/until.js';

/** The feed of the page, as far as these tests use it. */
interface Feed extends EventTarget {
  readonly state: string;
  readonly problem: string;
  readonly numbers: readonly { readonly time: number; readonly calls: number }[];
  readonly openedAfter: number;
  connect(): void;
  entries(): readonly { readonly order: number; readonly event: { readonly name?: string } }[];
}

// The script of the page, which has no types here.
const SCRIPT = new URL('../../src/admin/page/live-feed.js', import.meta.url).href;
const { LiveFeed } = (await import(SCRIPT)) as { readonly LiveFeed: new () => Feed };

let page = '';
const sources = new Set<EventSource>();
beforeAll(() => {
  class SourceOfPage extends EventSource {
    constructor(path: string) {
      super(new URL(path, page));
      sources.add(this);
    }
  }
  vi.stubGlobal('EventSource', SourceOfPage);
  const { fetch } = globalThis;
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => fetch(new URL(path, page), init));
});
afterAll(() => void vi.unstubAllGlobals());

/**
 * Serves a page that can lose its connection, or be of a server that was started again, and connects its feed.
 *
 * @param earlier Calls before that.
 */
async function connectFeed({ earlier = [] }: { readonly earlier?: readonly string[] } = {}) {
  const answers: ServerResponse[] = [];
  let refusals = 0;
  const create = () => createAdminSite({ routes: () => [] }, () => undefined);
  let site = create();
  const url = await serve((req, res) => {
    answers.push(res);
    if (refusals-- > 0) res.writeHead(503).end(`{"error_description":"Closed until ${refusals}"}`);
    else void site.handle(req, res, req.url ?? '');
  });
  page = `${url}/`;
  onTestFinished(() => {
    for (const source of sources) source.close();
    site.close();
  });
  for (const name of earlier) publishCall({ name });
  const feed = new LiveFeed();
  /** The calls that the page has counted, in their order. */
  const counted: unknown[] = [];
  feed.addEventListener('entry', (event) => counted.push((event as CustomEvent).detail.event.name));
  const states: string[] = [];
  feed.addEventListener('state', () => states.push(feed.state));
  feed.connect();
  await until(() => feed.state === 'live');
  return {
    feed,
    counted,
    states,
    loseConnection() {
      for (const { req } of answers) req.socket.destroy();
    },
    /** Refuses so many requests, from a lost connection on. */
    refuse(count: number) {
      refusals = count;
      for (const { req } of answers) req.socket.destroy();
    },
    restart() {
      site.close();
      site = create();
    },
    /** Asks the page for another stream, and waits for its request. */
    async askToReconnect() {
      const { length } = answers;
      for (const answer of answers) site.askToReconnect(answer);
      await until(() => answers.length === length + 1);
    },
  };
}

const listed = (feed: Feed) => feed.entries().map(({ event }) => event.name);

test('after a lost connection, a call that the page knows is not counted again, and a missed one is', async () => {
  const { feed, counted, states, loseConnection } = await connectFeed();
  for (const name of ['one', 'two']) publishCall({ name });
  await until(() => counted.length === 2);
  loseConnection();
  await until(() => feed.state === 'lost');
  publishCall({ name: 'missed', time: Date.now() + 1 });
  await until(() => counted.includes('missed'));
  publishCall({ name: 'later', time: Date.now() + 2 });
  await until(() => counted.includes('later'));
  expect(counted).toEqual(['one', 'two', 'missed', 'later']);
  expect(listed(feed)).toHaveLength(4);
  expect(states).toEqual(['live', 'lost', 'live']);
});

test('the calls of a server that was started again are counted, and those of the one before are gone', async () => {
  const { feed, counted, restart } = await connectFeed();
  for (const name of ['one', 'two', 'three']) publishCall({ name });
  await until(() => counted.length === 3);
  restart();
  publishCall({ name: 'four' });
  await until(() => counted.includes('four'));
  expect(counted).toEqual(['one', 'two', 'three', 'four']);
  expect(listed(feed)).toEqual(['four']);
});

test('the calls of a server that was started again and has none yet are gone', async () => {
  const { feed, counted, restart } = await connectFeed();
  publishCall({ name: 'one' });
  await until(() => counted.length === 1);
  await new Promise((resolve) => feed.addEventListener('entries', resolve, { once: true }));
  const drawn = new Promise((resolve) => feed.addEventListener('entries', resolve, { once: true }));
  restart();
  await drawn;
  expect(listed(feed)).toEqual([]);
});

test('after the date of the server is set back, the charts go on and later calls are listed first', async () => {
  const { feed, counted } = await connectFeed();
  onTestFinished(() => void vi.useRealTimers());
  publishCall({ name: 'before' });
  await until(() => feed.numbers.length === 2);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
  const now = Date.now();
  for (let n = 0; n < 3; n += 1) publishCall({ name: `after ${n}` });
  await until(() => feed.numbers.some(({ calls }) => calls === 3));
  expect(feed.numbers.map(({ time }) => time - now)).toEqual([0]);
  vi.setSystemTime(now + 1_000);
  await until(() => feed.numbers.length === 2);
  expect(counted).toHaveLength(4);
  expect(listed(feed)).toEqual(['after 2', 'after 1', 'after 0', 'before']);
});

test('after its date is set back by some seconds, a server replaces only the seconds that it has again', async () => {
  onTestFinished(() => void vi.useRealTimers());
  const now = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now });
  const { feed } = await connectFeed();
  for (const time of [0, 1_000, 2_000, 500]) {
    vi.setSystemTime(now + time);
    await new Promise((resolve) => feed.addEventListener('numbers', resolve, { once: true }));
    if (feed.numbers.length === 0)
      await new Promise((resolve) => feed.addEventListener('numbers', resolve, { once: true }));
  }
  expect(feed.numbers.map(({ time }) => time - now)).toEqual([0, 500]);
});

test('a server that was started again has charts of its own, and its events are later than all others', async () => {
  const { feed, counted, restart } = await connectFeed({ earlier: ['kept', 'kept too'] });
  publishCall({ name: 'one' });
  await until(() => counted.includes('one') && feed.numbers.length === 1);
  const [before] = feed.entries();
  const restartedAt = Date.now();
  restart();
  publishCall({ name: 'two' });
  await until(() => counted.includes('two'));
  expect(feed.numbers.filter(({ time }) => time < restartedAt)).toEqual([]);
  const [after] = feed.entries();
  expect(after?.order).toBeGreaterThan(before?.order ?? 0);
});

test('events from before the page was opened are told apart by their number, whatever the date is', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
  onTestFinished(() => void vi.useRealTimers());
  const { feed, counted } = await connectFeed({ earlier: ['kept', 'kept too'] });
  await until(() => counted.length === 2);
  vi.useRealTimers();
  publishCall({ name: 'later' });
  await until(() => counted.includes('later'));
  expect(feed.entries().map(({ event, order }) => [event.name, order > feed.openedAfter])).toEqual([
    ['later', true],
    ['kept too', false],
    ['kept', false],
  ]);
});

test('a page that is asked to connect again is live all the time, and misses and doubles nothing', async () => {
  const { feed, counted, states, askToReconnect } = await connectFeed();
  let published = 0;
  const publish = () => {
    for (let n = 0; n < 2; n += 1) publishCall({ name: `call ${published++}` });
  };
  await until(() => feed.numbers.length === 1);
  const calling = setInterval(publish, 100);
  onTestFinished(() => clearInterval(calling));
  for (let n = 0; n < 10; n += 1) {
    await askToReconnect();
    await new Promise((resolve) => setTimeout(resolve, 230));
  }
  clearInterval(calling);
  const sum = () => feed.numbers.reduce((total, { calls }) => total + calls, 0);
  await until(() => sum() >= published);
  expect(sum()).toBe(published);
  expect(counted).toEqual(Array.from({ length: published }, (_, n) => `call ${n}`));
  expect(states).toEqual(['live']);
});

test('a page that is refused shows the reason of the server, and tries again more and more slowly', async () => {
  const { feed, states, refuse } = await connectFeed();
  const problems = new Map<string, number>();
  feed.addEventListener('state', () => {
    if (!problems.has(feed.problem)) problems.set(feed.problem, performance.now());
  });
  // Each attempt is two requests: the stream, and the question why there is none.
  refuse(6);
  await until(() => feed.state === 'lost');
  await until(() => feed.state === 'live', 40_000);
  expect([...problems.keys()]).toEqual(['', 'Closed until 4', 'Closed until 2', 'Closed until 0']);
  const [, first = 0, second = 0, third = 0] = problems.values();
  expect(second - first).toBeGreaterThan(1_500);
  expect(third - second).toBeGreaterThan(3_500);
  expect(feed.problem).toBe('');
  expect(states[0]).toBe('live');
  expect(states.at(-1)).toBe('live');
});

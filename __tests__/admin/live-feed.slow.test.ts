import type { Socket } from 'node:net';
import { EventSource } from 'undici';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { mcpAdmin } from '../../src/admin/mcp-admin.js';
import { publishCall } from '../support/call-records.js';
import { serve } from '../support/loopback-server.js';
import { until } from '../support/until.js';

/** The feed of the page, as far as these tests use it. */
interface Feed extends EventTarget {
  readonly state: string;
  connect(): void;
  entries(): readonly { readonly event: { readonly name?: string } }[];
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
});
afterAll(() => void vi.unstubAllGlobals());

/** Serves a page that can lose its connection, or be of a server that was started again, and connects its feed. */
async function connectFeed() {
  const sockets = new Set<Socket>();
  const create = () => mcpAdmin({ authorize: ({ socket }) => Boolean(sockets.add(socket)) });
  let admin = create();
  page = `${await serve((req, res) => admin(req, res, () => undefined))}/`;
  onTestFinished(() => {
    for (const source of sources) source.close();
    admin.close();
  });
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
      for (const socket of sockets) socket.destroy();
    },
    restart() {
      admin.close();
      admin = create();
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

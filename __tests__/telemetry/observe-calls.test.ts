import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, type IncomingMessage } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { CallOptions, CallRecord } from '../../src/telemetry/call-record.js';
import { type ObservedCalls, observeCalls, observedCalls } from '../../src/telemetry/observe-calls.js';
import { listen, originOf, stop } from '../support/loopback-server.js';

const START = { key: '1', method: 'tools/call', name: 'add', params: { arguments: { pin: 'secret-pin' } }, bytes: 90 };
const END = { outcome: 'answered', bytes: 40, result: { sum: 3 } } as const;

/** Lets a server work on one request, and returns what it made of it. */
async function inRequest<T>(work: (req: IncomingMessage) => T, path = '/mcp?x=1'): Promise<T> {
  const server = createServer();
  onTestFinished(() => stop(server));
  await listen(server);
  const made = new Promise<T>((resolve, reject) => {
    server.once('request', (req, res) => {
      res.end();
      try {
        resolve(work(req));
      } catch (error) {
        reject(error);
      }
    });
  });
  await (await fetch(`${originOf(server)}${path}`, { headers: { 'mcp-session-id': 's1' } })).text();
  return made;
}

function listenToChannel(): CallRecord[] {
  const records: CallRecord[] = [];
  const listener = (record: unknown): void => void records.push(record as CallRecord);
  subscribe('express-mcp-auth:call', listener);
  onTestFinished(() => void unsubscribe('express-mcp-auth:call', listener));
  return records;
}

/** Records one call for these listeners, one middleware each. */
function recordFor(...listeners: readonly CallOptions[]): Promise<ObservedCalls | undefined> {
  return inRequest((req) => {
    for (const options of listeners) observeCalls(req, options, () => [START]);
    observedCalls(req)?.get('1')?.end(END);
    return observedCalls(req);
  });
}

function listener(more: Omit<CallOptions, 'onCall'> = {}) {
  const records: CallRecord[] = [];
  return { records, options: { onCall: (record: CallRecord) => void records.push(record), ...more } };
}

test('nothing is made where nothing listens', async () => {
  let started = 0;
  const calls = await inRequest((req) =>
    observeCalls(req, { recordContent: ({ params }) => params }, () => {
      started++;
      return [START];
    }),
  );
  expect([calls, started]).toEqual([undefined, 0]);
});

test('onCall and the channel get the same record, which is frozen', async () => {
  const channel = listenToChannel();
  const { records, options } = listener();
  await recordFor(options);
  expect(records).toEqual([
    expect.objectContaining({
      route: '/mcp',
      method: 'tools/call',
      name: 'add',
      session: 's1',
      bytesIn: 90,
      bytesOut: 40,
    }),
  ]);
  expect(channel[0]).toBe(records[0]);
  expect(Object.isFrozen(records[0])).toBe(true);
});

test('the channel alone is enough', async () => {
  const channel = listenToChannel();
  await recordFor({});
  expect(channel).toHaveLength(1);
});

const FAULTY: Readonly<Record<string, CallOptions>> = {
  'onCall throws': {
    onCall: () => {
      throw new Error('full');
    },
  },
  // biome-ignore lint/suspicious/noConfusingVoidType: a function of TypeScript may be async where void is wanted.
  'onCall rejects': { onCall: (): void => Promise.reject(new Error('full')) as unknown as void },
};

test.each(Object.entries(FAULTY))('where %s, the next listener still gets the record', async (_what, faulty) => {
  const { records, options } = listener();
  await recordFor(faulty, options);
  expect(records).toHaveLength(1);
});

test('a middleware that sees the same request twice gets one record', async () => {
  const { records, options } = listener();
  await recordFor(options, options);
  expect(records).toHaveLength(1);
});

test('the first end counts', async () => {
  const { records, options } = listener();
  await inRequest((req) => {
    const calls = observeCalls(req, options, () => [START]);
    const call = calls?.claim('1');
    call?.end({ outcome: 'denied', code: 'call_denied' });
    call?.end(END);
    calls?.endAll({ outcome: 'cancelled' });
  });
  expect(records).toEqual([expect.objectContaining({ outcome: 'denied', code: 'call_denied', bytesOut: 0 })]);
});

test('endAll() ends the calls that have not ended', async () => {
  const { records, options } = listener();
  await inRequest((req) => {
    const calls = observeCalls(req, options, () => [START, { ...START, key: '2', name: 'two' }]);
    calls?.get('2')?.end(END);
    calls?.endAll({ outcome: 'cancelled' });
  });
  expect(records.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['two', 'answered'],
    ['add', 'cancelled'],
  ]);
});

test('only recordContent adds content, and only for the onCall beside it', async () => {
  const channel = listenToChannel();
  const [own, other] = [
    listener({ recordContent: ({ method, name, params, result }) => ({ method, name, params, result }) }),
    listener(),
  ];
  await recordFor(own.options, other.options);
  const { method, name, params } = START;
  expect(own.records[0]?.content).toEqual({ method, name, params, result: END.result });
  expect(JSON.stringify([channel, other.records])).not.toContain('content');
  expect(JSON.stringify([channel, other.records])).not.toContain('secret-pin');
});

const WITHOUT_CONTENT: Readonly<Record<string, NonNullable<CallOptions['recordContent']>>> = {
  throws: () => {
    throw new Error('no');
  },
  rejects: () => Promise.reject(new Error('no')),
  'returns a promise': async () => 'later',
  'returns nothing': () => undefined,
};

test.each(Object.entries(WITHOUT_CONTENT))(
  'where recordContent %s, the record has no content',
  async (_what, recordContent) => {
    const { records, options } = listener({ recordContent });
    await recordFor(options);
    expect(records).toHaveLength(1);
    expect(records[0]).not.toHaveProperty('content');
  },
);

test('the time and the duration begin with the arrival of the request', async () => {
  const { records, options } = listener();
  const now = Date.now();
  await inRequest((req) => {
    observeCalls(req, options, () => [START], performance.now() - 5_000)?.endAll(END);
  });
  const [{ time, durationMs } = { time: 0, durationMs: 0 }] = records;
  expect(durationMs).toBeGreaterThanOrEqual(5_000);
  expect(time).toBeGreaterThanOrEqual(now - 5_001);
  expect(time).toBeLessThan(now - 4_000);
});

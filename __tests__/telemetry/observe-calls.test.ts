import { createServer, type IncomingMessage } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { CallOptions, CallRecord } from '../../src/telemetry/call-record.js';
import {
  type ObservedCalls,
  observeCalls,
  observedCalls,
  observeLastCalls,
} from '../../src/telemetry/observe-calls.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { subscribeToCalls } from '../support/subscribed-calls.js';

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
  const channel = subscribeToCalls();
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
  const channel = subscribeToCalls();
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

test.each([
  ['first', true],
  ['last', false],
])('a function that two middlewares have is called once, with the content of the %s', async (_which, isFirst) => {
  const { records, options } = listener();
  const withContent = { ...options, recordContent: () => 'content' };
  await (isFirst ? recordFor(withContent, options) : recordFor(options, withContent));
  expect(records).toEqual([expect.objectContaining({ content: 'content' })]);
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
  const channel = subscribeToCalls();
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

test.each(['first', 'last'])('recordContent of the %s middleware gets the arguments', async (which) => {
  const { records, options } = listener({ recordContent: ({ params }) => params });
  const other = listener();
  await inRequest((req) => {
    const [first, last] = which === 'first' ? [options, other.options] : [other.options, options];
    observeCalls(req, first, () => [START]);
    observeLastCalls(req, last, () => [START], performance.now())?.endAll(END);
  });
  expect(records).toEqual([expect.objectContaining({ content: START.params })]);
  expect(other.records).toHaveLength(1);
});

test('arguments that no listener wants are not kept until the call ends', async () => {
  const { options } = listener();
  const calls = await inRequest((req) => observeLastCalls(req, options, () => [START], performance.now()));
  calls?.closeListeners();
  expect(calls?.get('1')?.start).toEqual({ ...START, params: {} });
});

test('methods and names are cut, since clients choose them', async () => {
  const { records, options } = listener();
  await inRequest((req) => {
    const start = { ...START, method: 'm'.repeat(1_000), name: 'n'.repeat(10_000) };
    observeCalls(req, options, () => [start, { ...START, name: 'n'.repeat(1_000) }])?.endAll(END);
  });
  expect(records.map(({ method, name }) => [method.length, name?.length])).toEqual([
    [101, 1_001],
    ['tools/call'.length, 1_000],
  ]);
});

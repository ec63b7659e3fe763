import { Counter, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { addCounter } from '../../src/gateway/metrics/add-counter.js';
import { addDurations } from '../../src/gateway/metrics/add-durations.js';
import type { CountedMetric } from '../../src/gateway/metrics/counted-metric.js';

// prom-client's own metrics are slower, and give the same text.

/** Those of agentgateway, in seconds. */
const BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 80];

type Labels = readonly [method: string, outcome: string];

const METRIC: CountedMetric = { name: 'counted', help: 'Something that "counts"\nin lines', labelNames: ['a', 'b'] };

const LABELS: readonly (readonly [why: string, labels: readonly Labels[]])[] = [
  ['nothing was counted', []],
  ['one series', [['tools/call', 'answered']]],
  [
    'a series is counted again after another one',
    [
      ['a', 'b'],
      ['a', 'c'],
      ['a', 'b'],
    ],
  ],
  [
    'labels share their text',
    [
      ['a', 'bc'],
      ['ab', 'c'],
      ['', 'abc'],
    ],
  ],
  [
    'a label is the beginning of another, or has the name of a member',
    [
      ['constructor', '__proto__'],
      ['__proto__', 'constructor'],
    ],
  ],
  ['a label must be escaped', [['a"b\\c\nd', ',b:']]],
];

test.each(LABELS)('a counter is like that of prom-client: %s', async (_why, all) => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const count = addCounter([ours], METRIC);
  const counter = new Counter({ ...METRIC, labelNames: [...METRIC.labelNames], registers: [theirs] });
  for (const [a, b] of all) {
    count(a, b);
    counter.inc({ a, b });
  }
  expect(await ours.metrics()).toBe(await theirs.metrics());
  // Reading is not counting.
  expect(await ours.metrics()).toBe(await theirs.metrics());
});

const SECONDS: readonly (readonly [why: string, seconds: readonly number[]])[] = [
  ['on each bound', BOUNDS],
  ['just above each bound', BOUNDS.map((bound) => bound * 1.000_001)],
  ['no time, and longer than every bound', [0, 81, 1e9]],
];

test.each(SECONDS)('a histogram is like that of prom-client: %s', async (_why, seconds) => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const add = addDurations([ours], METRIC);
  const shared = { ...METRIC, labelNames: [...METRIC.labelNames], buckets: [...BOUNDS], registers: [theirs] };
  const histogram = new Histogram(shared);
  for (const [, all] of LABELS) {
    for (const [a, b] of all) {
      for (const each of seconds) {
        add(each, a, b);
        histogram.observe({ a, b }, each);
      }
    }
  }
  expect(await ours.metrics()).toBe(await theirs.metrics());
});

test('a histogram without durations is like that of prom-client', async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  addDurations([ours], METRIC);
  new Histogram({ ...METRIC, labelNames: [...METRIC.labelNames], buckets: [...BOUNDS], registers: [theirs] });
  expect(await ours.metrics()).toBe(await theirs.metrics());
});

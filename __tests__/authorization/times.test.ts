import { describe, expect, onTestFinished, test } from 'vitest';
import { evaluate } from '../support/evaluated-expression.js';

const at = (time: string) => `timestamp("${time}")`;

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Apia', 'Australia/Adelaide'];

/** Times and their parts, near changes of the clock in the zones above. */
const PARTS: readonly [text: string, value: number][] = [
  [`${at('2024-07-01T12:00:00Z')}.getDayOfYear()`, 182],
  [`${at('2024-01-01T00:00:00Z')}.getDayOfYear()`, 0],
  [`${at('2024-12-31T23:59:59Z')}.getDayOfYear()`, 365],
  [`${at('2024-12-31T23:59:59Z')}.getDayOfYear("Europe/Berlin")`, 0],
  [`${at('2024-07-01T12:00:00Z')}.getDayOfYear("UTC")`, 182],
  [`${at('2024-03-31T02:30:00Z')}.getHours("UTC")`, 2],
  [`${at('2024-03-10T02:30:00Z')}.getHours("UTC")`, 2],
  [`${at('2024-03-31T00:59:00Z')}.getHours("Europe/Berlin")`, 1],
  [`${at('2024-03-31T01:00:00Z')}.getHours("Europe/Berlin")`, 3],
  [`${at('2024-10-27T01:30:00Z')}.getHours("Europe/Berlin")`, 2],
  [`${at('2024-01-01T23:00:00Z')}.getHours("Europe/Berlin")`, 0],
  [`${at('2024-01-01T00:00:00Z')}.getHours()`, 0],
  [`${at('2024-01-01T00:20:00Z')}.getMinutes("Asia/Kathmandu")`, 5],
  [`${at('2024-01-01T00:20:00Z')}.getHours("+05:45")`, 6],
  [`${at('2024-01-01T00:20:00Z')}.getHours("-00:30")`, 23],
  [`${at('2024-01-01T00:20:00Z')}.getHours("02:00")`, 2],
  [`${at('2024-01-01T00:20:00Z')}.getFullYear("America/New_York")`, 2023],
  [`${at('2024-01-01T00:20:00Z')}.getMonth("America/New_York")`, 11],
  [`${at('2024-01-01T00:20:00Z')}.getDate("America/New_York")`, 31],
  [`${at('2024-01-01T00:20:00Z')}.getDayOfMonth("America/New_York")`, 30],
  [`${at('2024-01-01T00:20:00Z')}.getDayOfWeek("America/New_York")`, 0],
  [`${at('2024-01-01T00:20:10.123Z')}.getSeconds("America/New_York")`, 10],
  [`${at('2024-01-01T00:20:10.123Z')}.getMilliseconds("America/New_York")`, 123],
  [`${at('0001-01-01T00:00:00Z')}.getFullYear("UTC")`, 1],
  [`${at('0001-01-01T00:00:00Z')}.getFullYear("-01:00")`, 0],
  [`${at('0001-01-01T00:00:00Z')}.getFullYear("America/New_York")`, 0],
  ['duration("90m").getHours()', 1],
  ['duration("90m").getMinutes()', 90],
  ['duration("-1.5s").getSeconds()', -1],
  ['duration("1.5s").getMilliseconds()', 1500],
];

describe.each(ZONES)('a process in the time zone %s', (zone) => {
  test('reads the parts of times as all others do', () => {
    const before = process.env.TZ;
    onTestFinished(() => {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    });
    process.env.TZ = zone;
    expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(zone);
    const wrong = PARTS.filter(([text, value]) => evaluate(`${text} == ${value}`) !== true);
    expect(wrong).toEqual([]);
  });
});

test.each<[text: string, outcome: unknown]>([
  ['duration("-1.5s") + duration("2s") == duration("0.5s")', true],
  ['duration("2s") + duration("-1.5s") == duration("0.5s")', true],
  ['duration("1s") - duration("1.5s") == duration("-0.5s")', true],
  ['duration("0.5s") - duration("1s") == duration("-500ms")', true],
  ['duration("-0.5s") - duration("-1s") == duration("500ms")', true],
  ['duration("1.7s") + duration("1.7s") == duration("3.4s")', true],
  ['duration("-1.5s") + duration("2s") > duration("0s")', true],
  [`${at('2024-01-01T00:00:00Z')} - ${at('1950-01-01T00:00:00.001Z')} == duration("648671h59m59.999s")`, true],
  [`${at('2024-01-01T00:00:00Z')} - ${at('2024-01-01T00:00:00.5Z')} == duration("-500ms")`, true],
  [`${at('2024-01-01T00:00:00Z')} + duration("-1.5s") == ${at('2023-12-31T23:59:58.5Z')}`, true],
  [`${at('2024-01-01T00:00:00Z')} - duration("1.5s") == ${at('2023-12-31T23:59:58.5Z')}`, true],
  [`${at('2024-01-01T00:00:00Z')} + duration("999999999999h") > ${at('2024-01-01T00:00:00Z')}`, 'numeric_overflow'],
  [`${at('2024-01-01T00:00:00Z')} - duration("999999999h") < ${at('2024-01-01T00:00:00Z')}`, 'numeric_overflow'],
  ['1 + 2 == 3 && "a" + "b" == "ab" && [1] + [2] == [1, 2] && 1.5 - 0.5 == 1.0', true],
])('%s is %j', (text, outcome) => {
  expect(evaluate(text)).toBe(outcome);
});

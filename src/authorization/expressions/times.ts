import type { Duration } from '@marcbachmann/cel-js/evaluator';
import { loadCelLibrary } from './cel-library.js';
import type { Register } from './cel-node.js';
import { ExpressionFault } from './evaluation.js';

/** The parts of a point in time, each from the same point as UTC: a date whose parts in UTC are those in the time zone. */
const PARTS: Readonly<Record<string, (local: Date) => number>> = {
  getFullYear: (local) => local.getUTCFullYear(),
  getMonth: (local) => local.getUTCMonth(),
  getDate: (local) => local.getUTCDate(),
  getDayOfMonth: (local) => local.getUTCDate() - 1,
  getDayOfWeek: (local) => local.getUTCDay(),
  getDayOfYear: dayOfYear,
  getHours: (local) => local.getUTCHours(),
  getMinutes: (local) => local.getUTCMinutes(),
  getSeconds: (local) => local.getUTCSeconds(),
  getMilliseconds: (local) => local.getUTCMilliseconds(),
};

const MS_PER_DAY = 86_400_000;

/** The library's functions that depend on the time zone of this process, with the names of their replacements. */
export const TIME_FUNCTIONS: ReadonlyMap<string, string> = new Map(
  Object.keys(PARTS).map((name) => [name, `${name}OfTime`]),
);

/** Of a duration, they return the whole of it in their unit. */
const DURATION_PARTS = ['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'] as const;

/** Registers the replacements. */
export function registerTimeFunctions(register: Register): void {
  for (const [name, part] of Object.entries(PARTS)) {
    const method = `google.protobuf.Timestamp.${TIME_FUNCTIONS.get(name)}`;
    register(`${method}(): int`, (time: Date) => BigInt(part(time)));
    register(`${method}(string): int`, (time: Date, zone: string) => BigInt(part(inZone(time, zone))));
  }
  for (const name of DURATION_PARTS)
    register(`google.protobuf.Duration.${TIME_FUNCTIONS.get(name)}(): int`, (duration: Duration) => duration[name]());
}

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - new Date(date).setUTCMonth(0, 1)) / MS_PER_DAY);
}

/**
 * Returns the date whose parts in UTC are those of a time in a time zone: a name, or an offset such as `+02:00`.
 *
 * @throws {ExpressionFault} If there is no such time zone.
 */
function inZone(time: Date, zone: string): Date {
  const offset = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return new Date(time.getTime() + (offset[1] === '-' ? -minutes : minutes) * 60_000);
  }
  const parts = new Map(
    formatIn(zone)
      .formatToParts(time)
      .map(({ type, value }) => [type, value]),
  );
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
  const local = new Date(0);
  // The first year of the Christian era is 1, and the year before it is 0 here.
  const year = parts.get('era') === 'BC' ? 1 - number('year') : number('year');
  local.setUTCFullYear(year, number('month') - 1, number('day'));
  local.setUTCHours(number('hour'), number('minute'), number('second'), time.getUTCMilliseconds());
  return local;
}

function formatIn(timeZone: string): Intl.DateTimeFormat {
  const numeric = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
  try {
    return new Intl.DateTimeFormat('en-US', {
      ...numeric,
      ...({ second: 'numeric', era: 'short', hourCycle: 'h23', calendar: 'gregory', timeZone } as const),
    });
  } catch {
    throw new ExpressionFault('malformed_text');
  }
}

const NANOSECONDS_PER_SECOND = 1_000_000_000n;
const NANOSECONDS_PER_MS = 1_000_000n;

/** Returns the nanoseconds of a duration. */
export function nanosecondsOf({ seconds, nanos }: Pick<Duration, 'seconds' | 'nanos'>): bigint {
  return seconds * NANOSECONDS_PER_SECOND + BigInt(nanos);
}

/** The difference of two times or durations, or the sum of two durations; undefined for other values. `sign`: 1 or -1. */
export function durationFrom(left: unknown, sign: 1n | -1n, right: unknown): Duration | undefined {
  const { Duration } = loadCelLibrary();
  if (left instanceof Duration && right instanceof Duration)
    return durationOf(nanosecondsOf(left) + sign * nanosecondsOf(right));
  if (sign === -1n && left instanceof Date && right instanceof Date)
    return durationOf(BigInt(left.getTime() - right.getTime()) * NANOSECONDS_PER_MS);
  return undefined;
}

const MIN_TIME = Date.parse('0001-01-01T00:00:00Z');
const MAX_TIME = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Returns a value, which may be of any type.
 *
 * @throws {ExpressionFault} If it is a time that CEL does not have. An invalid `Date` is neither earlier nor later than any other.
 */
export function requireTime(value: unknown): unknown {
  if (value instanceof Date && !(value.getTime() >= MIN_TIME && value.getTime() <= MAX_TIME))
    throw new ExpressionFault('numeric_overflow');
  return value;
}

/** Both parts have the same sign, as in durations that are parsed from a string. */
function durationOf(nanoseconds: bigint): Duration {
  const { Duration } = loadCelLibrary();
  return new Duration(nanoseconds / NANOSECONDS_PER_SECOND, Number(nanoseconds % NANOSECONDS_PER_SECOND));
}

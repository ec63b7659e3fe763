const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Most processes restart before a longer time has passed, and then all buckets are full. */
const MAX_MS = 31 * 86_400_000;

/** The form of a time, for messages. */
export const DURATION_FORM = 'a time such as "30s", "1m", "1h30m" or "1d", up to 31 days';

/** Returns a time in milliseconds; undefined if the text is not {@link DURATION_FORM}. */
export function parseDuration(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^(?:\d{1,8}(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+)([a-z]+)/g);
  const ms = [...parts].reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS_MS[unit] as number), 0);
  return ms >= 1 && ms <= MAX_MS ? ms : undefined;
}

/** Formats a value of any type for a report: metadata and tokens may have anything in place of a string. */
export function shown(value: unknown): string {
  // JSON has no infinity: an exp of 1e999 is read as one.
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value) ?? 'missing';
  } catch {
    // JSON.parse() reads deeper than JSON.stringify() writes, which then throws a RangeError.
    return 'nested too deeply to be shown';
  }
}

/** True if a value is an object, and neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses a JSON object. Undefined if the text is not one. */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    // The caller decides if this is an error, and must not quote the text.
    return undefined;
  }
}

/** Returns the strings in a list. Empty if the value is not a list. */
export function stringsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/**
 * Returns a copy of an object that was not parsed from JSON, as JSON has it.
 *
 * @throws {Error} If it has a function, a bigint or itself in it.
 */
export function jsonCopy(value: Record<string, unknown>): Record<string, unknown> {
  // The first copy refuses functions, which JSON would leave out.
  return JSON.parse(JSON.stringify(structuredClone(value)));
}

/** What a token says; nothing of it need be of the right type. */
export type Claims = Readonly<Record<string, unknown>>;

/** Only what the token itself says counts: `toString` is no claim. */
export function claimOf(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** A claim that is one text, or a list of texts; undefined where it is of another type. */
export function textsOf(claims: Claims, name: string): readonly string[] | undefined {
  const value = claimOf(claims, name);
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

/** Whether a claim is no NumericDate (RFC 7519, section 2) although it is there. `1e400` is a JSON number, and infinite. */
export function isNoTime(claims: Claims, name: string): boolean {
  const value = claimOf(claims, name);
  return value !== undefined && !Number.isFinite(value);
}

/** A value of any type, in a report. */
export function shown(value: unknown): string {
  // JSON has no word for what is infinite.
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'missing');
}

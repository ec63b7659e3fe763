/** The JSON object that a text is; undefined where it is none. */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    // The caller knows whether anything else may come; the text itself helps nobody.
    return undefined;
  }
}

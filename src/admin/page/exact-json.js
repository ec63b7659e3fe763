/**
 * JSON whose numbers stay as they are written. `JSON.parse()` alone rounds whole numbers beyond 2^53, such as ids: the tool would be called for
 * another object.
 */

/**
 * Parses JSON. A number that JavaScript would write differently becomes an object, which `JSON.stringify()` writes as the number was written.
 *
 * @param {string} text
 */
export function parseExactJson(text) {
  /** @type {(name: string, value: unknown, context?: { source?: string }) => unknown} */
  const revive = (_name, value, context) =>
    typeof value === 'number' && context?.source !== undefined ? exactNumber(context.source) : value;
  return JSON.parse(text, /** @type {(name: string, value: unknown) => unknown} */ (revive));
}

/**
 * Returns a number that is written as `text`; the nearest one in browsers that cannot keep the text.
 *
 * @param {string} text A number as JSON has it.
 * @returns {unknown}
 */
export function exactNumber(text) {
  const value = Number(text);
  return String(value) === text || JSON.rawJSON === undefined ? value : JSON.rawJSON(text);
}

/**
 * Returns the value of a number, including one that is kept as its text; undefined for anything else.
 *
 * @param {unknown} value
 */
export function numberIn(value) {
  const number = JSON.isRawJSON?.(value) ? JSON.parse(JSON.stringify(value)) : value;
  return typeof number === 'number' ? number : undefined;
}

/**
 * Refuses numbers that this browser may have rounded, because it cannot keep their text.
 *
 * @param {unknown} value
 * @throws {SyntaxError}
 */
export function refuseRounded(value) {
  if (JSON.rawJSON !== undefined) return;
  JSON.stringify(value, (_name, part) => {
    const isExact =
      typeof part !== 'number' || (Number.isInteger(part) ? Number.isSafeInteger(part) : Number.isFinite(part));
    if (!isExact)
      throw new SyntaxError(`the number ${part} cannot be sent exactly by this browser; a newer version can`);
    return part;
  });
}

/**
 * Characters that can start a new line, move a terminal's cursor, change the direction of writing or hide text: the Unicode
 * categories Cc, Cf, Zl and Zp, and halves of surrogate pairs (Cs).
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Makes text that another party chose safe to show to a person: cuts it after `maxLength` characters, and replaces unprintable
 * characters with JSON escapes (`\u009b`) and tabs with spaces. Every log line, report and answer that repeats such text must pass it
 * through a function of this file.
 */
export function printable(text: string, maxLength: number): string {
  // Cut before escaping, which makes text longer. One extra character makes the second cut add the ellipsis.
  return cut(escapeUnprintable(text.slice(0, maxLength + 1).replaceAll('\t', ' ')), maxLength);
}

/** Does the same for a header and for `error_description` (RFC 6749, section 5.2). All but printable ASCII becomes `?`. */
export function printableAscii(text: string, maxLength: number): string {
  const ascii = text.slice(0, maxLength).replace(/[^\x20-\x7e]/g, '?');
  return text.length > maxLength ? `${ascii}...` : ascii;
}

/**
 * Writes a value as JSON, with unprintable characters escaped and each string cut after `maxLength` characters. The JSON parses to
 * the same value, apart from the cuts.
 *
 * @param space As for `JSON.stringify()`.
 */
export function printableJson(value: unknown, maxLength: number, space?: number): string | undefined {
  const json = JSON.stringify(
    value,
    (_name, item: unknown) => (typeof item === 'string' ? cut(item, maxLength) : item),
    space,
  );
  // JSON escapes line ends in strings, so these are the line ends of `space`.
  return json?.split('\n').map(escapeUnprintable).join('\n');
}

function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

function escapeUnprintable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  });
}

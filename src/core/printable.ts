/**
 * Characters that can begin another line, move a terminal's cursor, change the direction of writing or hide what follows: the
 * categories Cc, Cf, Zl and Zp, and halves of surrogate pairs (Cs).
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Text that another party chose, for a line that a person reads: cut after `maxLength` characters, and without characters that are
 * not seen as themselves. These are written as JSON writes them (`\u009b`), a tab as a space. Every log line, report and answer
 * that repeats such text takes it from this file.
 */
export function printable(text: string, maxLength: number): string {
  // One more than is kept, so that the cut shows: escapes make text longer.
  return cut(escapeUnprintable(text.slice(0, maxLength + 1).replaceAll('\t', ' ')), maxLength);
}

/** The same for a header and for `error_description` (RFC 6749, section 5.2): whatever is not printable ASCII becomes `?`. */
export function printableAscii(text: string, maxLength: number): string {
  const ascii = text.slice(0, maxLength).replace(/[^\x20-\x7e]/g, '?');
  return text.length > maxLength ? `${ascii}...` : ascii;
}

/**
 * A value as JSON without the same characters; no text in it is longer than `maxLength`. It is JSON all the same, and parses to the
 * same value but for what was cut.
 *
 * @param space As for `JSON.stringify()`.
 */
export function printableJson(value: unknown, maxLength: number, space?: number): string | undefined {
  const json = JSON.stringify(
    value,
    (_name, item: unknown) => (typeof item === 'string' ? cut(item, maxLength) : item),
    space,
  );
  // The only line ends in JSON are those of `space`: within a text they are escaped.
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

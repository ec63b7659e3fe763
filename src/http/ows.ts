/**
 * Removes the white space that HTTP allows around a value: SP and HTAB (RFC 9110, section 5.6.3; for cookies RFC 6265bis,
 * section 5.6). `trim()` also removes characters that are part of the value in HTTP, such as a no-break space.
 */
export function trimOws(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isOws(text, start)) start += 1;
  while (end > start && isOws(text, end - 1)) end -= 1;
  return text.slice(start, end);
}

const SP = 0x20;
const HTAB = 0x09;

function isOws(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === SP || code === HTAB;
}

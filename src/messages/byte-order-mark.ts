/** In UTF-8. */
export const BYTE_ORDER_MARK = Buffer.from('\ufeff');

export function startsWithByteOrderMark(text: Buffer): boolean {
  return BYTE_ORDER_MARK.every((byte, at) => text[at] === byte);
}

/** Returns a text in UTF-8 without the byte order mark at its beginning, as a view. JSON must not have one, and its readers may ignore it (RFC 8259, section 8.1). */
export function withoutByteOrderMark(text: Buffer): Buffer {
  return startsWithByteOrderMark(text) ? text.subarray(BYTE_ORDER_MARK.length) : text;
}

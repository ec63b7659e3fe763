/** Splits a list that spaces separate, such as `scope` (RFC 6749, section 3.3). */
export function splitList(text: string): readonly string[] {
  return text.split(' ').filter((scope) => scope !== '');
}

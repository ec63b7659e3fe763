/** The text with another character at `index` (from the end if negative). Random texts may hold any given character there. */
export function altered(text: string, index: number): string {
  const at = index < 0 ? text.length + index : index;
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
}

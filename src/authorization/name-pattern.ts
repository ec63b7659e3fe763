/**
 * Returns a function that tells if a name matches a pattern, in which `*` stands for any text, including none. It compares piece by
 * piece: a long name could make a regular expression backtrack for a long time.
 */
export function createMatcher(pattern: string): (spelling: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (spelling) => spelling === first;
  return (spelling) => {
    const end = spelling.length - last.length;
    if (end < first.length || !spelling.startsWith(first) || !spelling.endsWith(last)) return false;
    let at = first.length;
    for (const piece of rest) {
      const found = spelling.indexOf(piece, at);
      if (found === -1 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}

/** Returns how narrow a pattern is: a name without `*` is the narrowest; of two patterns with `*`, the one with more other characters is narrower. */
export function narrownessOf(pattern: string): number {
  return pattern.includes('*') ? pattern.replaceAll('*', '').length : Number.POSITIVE_INFINITY;
}

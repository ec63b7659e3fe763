/**
 * Options of an `LRUCache` with this many entries. With the option `max`, it would reserve memory for all of them when it is created, and a
 * process may have a cache for each of a thousand routes.
 */
export function atMost(entries: number): { readonly maxSize: number; readonly sizeCalculation: () => number } {
  return { maxSize: entries, sizeCalculation: () => 1 };
}

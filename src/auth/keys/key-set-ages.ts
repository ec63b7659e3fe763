/** The age of the keys of one issuer, which were fetched from it. */
export interface KeySetAge {
  readonly issuer: string;
  readonly seconds: number;
}

type ReadAges = () => readonly KeySetAge[];

const readers = new WeakMap<object, ReadAges>();

/** Remembers the function that reads the ages of the key sets of an `mcpAuth()`. */
export function rememberKeySetAges(auth: object, read: ReadAges): void {
  readers.set(auth, read);
}

/** Returns the ages of the key sets of an `mcpAuth()`. Keys that are not fetched, or not yet, have none. */
export function keySetAgesOf(auth: object): readonly KeySetAge[] {
  return readers.get(auth)?.() ?? [];
}

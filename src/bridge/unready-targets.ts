const finders = new WeakMap<object, () => Promise<readonly string[]>>();

/** Remembers the function that finds the targets of a backend that are not ready. */
export function rememberUnready(backend: object, find: () => Promise<readonly string[]>): void {
  finders.set(backend, find);
}

/** Finds the names of the targets of an `mcpBackend()` that are not ready. Empty for another backend, which has no names for them. */
export async function unreadyTargetsOf(backend: object): Promise<readonly string[]> {
  return (await finders.get(backend)?.()) ?? [];
}

const askers = new WeakMap<object, () => Promise<string | undefined>>();

/** Remembers the function that asks why the remote server of a backend is not ready. */
export function rememberFault(backend: object, ask: () => Promise<string | undefined>): void {
  askers.set(backend, ask);
}

/** Asks why the remote server of an `mcpHttpBackend()` is not ready. Resolves to undefined if it is, and for another backend. */
export async function remoteFaultOf(backend: object): Promise<string | undefined> {
  return askers.get(backend)?.();
}

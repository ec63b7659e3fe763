/** A reason why a backend is not ready. */
export interface BackendFault {
  /** The target; undefined if the backend has no names for targets. */
  readonly target?: string;
  /** For a log: it may contain the address of the server. */
  readonly reason: string;
}

type FindFaults = () => Promise<readonly BackendFault[]>;

const finders = new WeakMap<object, FindFaults>();

export const CLOSING: BackendFault = { reason: 'it is closing' };
export const NO_PROGRAM = 'its program is not there';

/** Lets {@link faultsOf} find out why a backend is not ready. `find` sends one request to each remote server. */
export function rememberFaults(backend: object, find: FindFaults): void {
  finders.set(backend, find);
}

/** Resolves to the reasons why a backend of this package is not ready; empty if it is. */
export async function faultsOf(backend: object): Promise<readonly BackendFault[]> {
  return (await finders.get(backend)?.()) ?? [];
}

import type { Connection } from '../connection.js';

const waits = new WeakMap<Connection, Promise<void>>();

/**
 * Returns undefined if the connection can take one more message, else a promise that never rejects: ask again when it has resolved. All
 * who ask meanwhile get the same promise, so they count as one request that waits. The bridge answers requests that wait too long.
 */
export function whenTargetWritable(connection: Connection): Promise<void> | undefined {
  return waits.get(connection) ?? beginWait(connection);
}

function beginWait(connection: Connection): Promise<void> | undefined {
  const wait = connection
    .whenWritable(performance.now())
    ?.catch(() => undefined)
    .finally(() => waits.delete(connection));
  if (wait !== undefined) waits.set(connection, wait);
  return wait;
}

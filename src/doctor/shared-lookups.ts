import { setTimeout } from 'node:timers/promises';
import { errorWith } from '../upstream/bounded-fetch.js';
import type { Resolve } from '../upstream/name-lookup.js';

/** Milliseconds after which a name counts as unknown where a forward proxy may know it. glibc needs 5 to 20 seconds for silent name servers. */
const PROXIED_LOOKUP_MS = 2_000;

/** Look-ups at once: Node runs two. Another one would wait for its turn, and its name must not count as unknown meanwhile. */
const MAX_RUNNING = 2;

/**
 * Returns the addresses of a name.
 *
 * @param isProxied True if a forward proxy may know the name: a look-up that is too slow then fails.
 */
export type SharedLookup = (name: string, isProxied: boolean) => ReturnType<Resolve>;

interface RunningLookup {
  readonly found: ReturnType<Resolve>;
  /** Rejects when the look-up is too slow for a name that a forward proxy may know. */
  readonly tooSlow: Promise<never>;
  readonly ended: Promise<unknown>;
}

/** Creates the look-ups that several requests share: one that no request waits for any more still takes its place until it ends. */
export function createSharedLookups(resolve: Resolve): SharedLookup {
  const running = new Map<string, RunningLookup>();
  const start = (name: string): RunningLookup => {
    const found = resolve(name);
    const forget = () => running.delete(name);
    const lookup = { found, tooSlow: failLater(name), ended: found.then(forget, forget) };
    running.set(name, lookup);
    return lookup;
  };
  return async (name, isProxied) => {
    while (running.size >= MAX_RUNNING && !running.has(name)) {
      await Promise.race(Array.from(running.values(), ({ ended }) => ended));
    }
    const { found, tooSlow } = running.get(name) ?? start(name);
    return isProxied ? Promise.race([found, tooSlow]) : found;
  };
}

function failLater(name: string): Promise<never> {
  const tooSlow = setTimeout(PROXIED_LOOKUP_MS, undefined, { ref: false }).then(() => {
    throw errorWith(`the name ${name} was not resolved within ${PROXIED_LOOKUP_MS / 1_000} seconds`, 'EAI_AGAIN');
  });
  // Not every look-up is waited for.
  tooSlow.catch(() => undefined);
  return tooSlow;
}

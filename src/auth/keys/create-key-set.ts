import type { KeySource } from '../../policy/jwks.js';
import type { KeySet, KeySetContext } from './key-set.js';
import { createLiveKeySet } from './live-key-set.js';
import { createLocalKeySet } from './local-key-set.js';
import { createRemoteKeySet } from './remote-key-set.js';

/** The key set that a source asks for: fetched, read from a function, or given. */
export function createKeySet(source: KeySource, context: KeySetContext): KeySet {
  if (source.kind === 'url') return createRemoteKeySet(source.url, context);
  return source.kind === 'live' ? createLiveKeySet(source.read, context) : createLocalKeySet(source, context);
}

import type { IncomingMessage } from 'node:http';
import { createPerRequest } from '../../core/per-request.js';
import { shareValue } from '../../core/shared-state.js';

/**
 * The proofs of one request, by the memory that has counted them. Several `mcpAuth()` may handle a request: each of them checks its proof, and
 * each memory counts it once. A memory that has counted it for another request still refuses it.
 */
export interface CountedUses {
  has(memory: object, id: string): boolean;
  add(memory: object, id: string): void;
}

const counted = shareValue('countedProofs', createPerRequest<CountedUses>);

/** Returns what was counted for a request. */
export function countedUsesOf(req: IncomingMessage): CountedUses {
  const known = counted.get(req);
  if (known !== undefined) return known;
  const uses = createCountedUses();
  counted.set(req, uses);
  return uses;
}

function createCountedUses(): CountedUses {
  // An array, since it has one or two entries: a request has one proof, and few memories count it.
  const all: { readonly memory: object; readonly id: string }[] = [];
  return {
    has: (memory, id) => all.some((each) => each.memory === memory && each.id === id),
    add: (memory, id) => void all.push({ memory, id }),
  };
}

import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A difference that is no more than noise. */
const NOISE = 50_000;
const MAX_ROUNDS = 20;

/** Returns the bytes in use, on the heap and in buffers, once garbage collection frees no more. */
export async function memoryInUse(): Promise<number> {
  let lowest = collected();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    // Buffers are freed in another thread, and some only after the callbacks at the end of a stream.
    await setTimeout(50);
    const now = collected();
    if (now > lowest - NOISE) return now;
    lowest = now;
  }
  return lowest;
}

function collected(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

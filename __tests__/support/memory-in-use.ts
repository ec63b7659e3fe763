import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Returns the bytes in use, on the heap and in buffers, after garbage collection. */
export async function memoryInUse(): Promise<number> {
  collectGarbage();
  // Buffers are freed in another thread, and some only after the callbacks at the end of a stream.
  await setTimeout(50);
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

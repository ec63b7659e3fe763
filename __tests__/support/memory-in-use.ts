import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that are still in use, on the heap and in buffers, once the garbage is gone. */
export async function memoryInUse(): Promise<number> {
  collectGarbage();
  // Buffers go in another thread, and some only after what is called at the end of a stream.
  await setTimeout(50);
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

import { type ChildProcess, execFile } from 'node:child_process';
import { type DetachedProcess, detachedProcessesOf, isDetachedAlive, signalDetached } from './detached-processes.js';

/** How long each step of stopping waits for the next, in milliseconds. */
const STOP_STEP_MS = 2_000;
const REAPED_MS = 250;

/** How long a child may live on once it was asked to stop, in seconds. */
export const MAX_STOP_SECONDS = Math.ceil((2 * STOP_STEP_MS + REAPED_MS) / 1_000);

/** Sends `signal` to every process of the group that `pid` leads; on Windows, ends the tree. Nobody there is fine. */
function signalTree(pid: number, signal: NodeJS.Signals): void {
  if (process.platform === 'win32') {
    execFile('taskkill', ['/pid', String(pid), '/T', '/F'], () => {
      // A tree that is already gone makes taskkill fail; either way it is gone.
    });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: the group is empty, which is what was wanted.
  }
}

/** True if any process of the group that `pid` leads is left. */
function treeIsAlive(pid: number): boolean {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 0);
    return true;
  } catch {
    // ESRCH: nobody is left.
    return false;
  }
}

/** Ends the whole tree: end of input, 2 s, SIGTERM, 2 s, SIGKILL. Resolves when its leader is gone and the rest was killed; after 6 s anyhow. */
export async function stopTree(child: ChildProcess, exited: Promise<void>): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  // Looked for before the leader ends, since they are nobody's children then.
  const detached = [...livingStraysOf(child)];
  child.stdin?.end();
  const ends = (ms: number): Promise<boolean> => treeEnds(pid, detached, exited, ms);
  if (await ends(STOP_STEP_MS)) return;
  detached.push(...livingStraysOf(child));
  signalTree(pid, 'SIGTERM');
  signalDetached(detached, 'SIGTERM');
  if (await ends(STOP_STEP_MS)) return;
  detached.push(...livingStraysOf(child));
  signalTree(pid, 'SIGKILL');
  signalDetached(detached, 'SIGKILL');
  // One that the kernel keeps (a file system that hangs) ends when the kernel lets it go; close() does not wait for that.
  if (!(await within(exited, STOP_STEP_MS))) return;
  // Killed for certain; but where nobody reaps orphans (a container without an init) they stay in the table for good.
  await ends(REAPED_MS);
}

// The number of a leader that was reaped may be somebody else's by now.
function livingStraysOf({ pid, exitCode, signalCode }: ChildProcess): readonly DetachedProcess[] {
  return pid === undefined || exitCode !== null || signalCode !== null ? [] : detachedProcessesOf(pid);
}

async function treeEnds(
  pid: number,
  detached: readonly DetachedProcess[],
  exited: Promise<void>,
  ms: number,
): Promise<boolean> {
  const deadline = performance.now() + ms;
  if (!(await within(exited, ms))) return false;
  // The leader may be gone (npx) while what it started is still ending, and nothing tells when that is over.
  while (treeIsAlive(pid) || detached.some(isDetachedAlive)) {
    if (performance.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

/** True if `promise` settles within `ms`. */
export function within(promise: Promise<void>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, false);
    void promise.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

import { type ChildProcess, execFile } from 'node:child_process';
import { type DetachedProcess, detachedProcessesOf, isDetachedAlive, signalDetached } from './detached-processes.js';

/** The time between two steps of stopping, in milliseconds. */
const STOP_STEP_MS = 2_000;
const REAPED_MS = 250;

/** Seconds from the first step of stopping until a child has ended, at most. A child that hangs in the kernel takes longer. */
export const MAX_STOP_SECONDS = Math.ceil((2 * STOP_STEP_MS + REAPED_MS) / 1_000);

/** Sends `signal` to every process of the group that `pid` leads; on Windows, ends the tree. An empty group is fine. */
function signalTree(pid: number, signal: NodeJS.Signals): void {
  if (process.platform === 'win32') {
    execFile('taskkill', ['/pid', String(pid), '/T', '/F'], () => {
      // taskkill fails if the tree is gone already, which is fine.
    });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: the group is empty already.
  }
}

/** True if any process of the group that `pid` leads is left. */
function treeIsAlive(pid: number): boolean {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 0);
    return true;
  } catch {
    // ESRCH: no process is left.
    return false;
  }
}

/**
 * Stops a child and all that it started: ends its input, sends SIGTERM after 2 s and SIGKILL after 2 s more. Resolves when the child is
 * gone and the rest was killed, a moment after SIGKILL at the latest. For a child that hangs in the kernel, it waits 2 s more.
 */
export async function stopTree(child: ChildProcess, exited: Promise<void>): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  // Found before the leader ends: afterwards they cannot be traced to it.
  const detached = [...findDetached(child)];
  child.stdin?.end();
  const ends = (ms: number): Promise<boolean> => treeEnds(pid, detached, exited, ms);
  if (await ends(STOP_STEP_MS)) return;
  detached.push(...findDetached(child));
  signalTree(pid, 'SIGTERM');
  signalDetached(detached, 'SIGTERM');
  if (await ends(STOP_STEP_MS)) return;
  detached.push(...findDetached(child));
  signalTree(pid, 'SIGKILL');
  signalDetached(detached, 'SIGKILL');
  // A child that hangs in the kernel (a file system that does not answer) ends when the kernel returns; close() does not wait for that.
  if (!(await within(exited, STOP_STEP_MS))) return;
  // All are killed now. The wait is short, because a container without an init never reaps orphans: they stay in the process table.
  await ends(REAPED_MS);
}

// A leader that has ended is not asked: its id may belong to another process by now.
function findDetached({ pid, exitCode, signalCode }: ChildProcess): readonly DetachedProcess[] {
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
  // The leader may be gone (npx) while processes that it started are still ending. No event says when they have, so this polls.
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

import { readdirSync, readFileSync } from 'node:fs';

/** A process. Its start time distinguishes it from a later process with the same id. */
export interface DetachedProcess {
  readonly pid: number;
  readonly start: string;
}

/**
 * Finds the descendants of the living process `leader` that left its process group (setsid), so that no signal to the group reaches
 * them. Works on Linux only, and only while every process between them lives: an orphan cannot be traced to its ancestors.
 */
export function detachedProcessesOf(leader: number): readonly DetachedProcess[] {
  if (process.platform !== 'linux') return [];
  const detached: DetachedProcess[] = [];
  const found = [leader];
  for (const parent of found) {
    for (const pid of childrenOf(parent)) {
      const stat = statOf(pid);
      if (stat === undefined || found.includes(pid)) continue;
      found.push(pid);
      if (stat.group !== leader) detached.push({ pid, start: stat.start });
    }
  }
  return detached;
}

/** True if the process still runs; a zombie does not. */
export function isDetachedAlive({ pid, start }: DetachedProcess): boolean {
  const stat = statOf(pid);
  return stat?.start === start && stat.state !== 'Z' && stat.state !== 'X';
}

export function signalDetached(detached: readonly DetachedProcess[], signal: NodeJS.Signals): void {
  for (const each of detached.filter(isDetachedAlive)) {
    try {
      process.kill(each.pid, signal);
    } catch {
      // It has ended by itself, or runs as another user (setuid), and cannot be signalled.
    }
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      (readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').match(/\d+/g) ?? []).map(Number),
    );
  } catch {
    // It has ended meanwhile, or the kernel has no such lists.
    return [];
  }
}

function statOf(pid: number): (DetachedProcess & { readonly state: string; readonly group: number }) | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // In proc(5) the second field is the program's name in brackets, which may contain brackets itself: the rest follows the last one.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, state: fields[0] ?? '', group: Number(fields[2]), start: fields[19] ?? '' };
  } catch {
    // It is gone.
    return undefined;
  }
}

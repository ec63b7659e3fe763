import { readdirSync, readFileSync } from 'node:fs';

/** A process, told apart by its start from a later one of the same number. */
export interface DetachedProcess {
  readonly pid: number;
  readonly start: string;
}

/**
 * The descendants of the living process `leader` that left the group it leads (setsid), so that no signal to the group reaches
 * them. Known on Linux only, and only as long as every process between them lives: an orphan tells nothing of where it came from.
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

/** True if it still runs; one that only waits to be reaped does not. */
export function isDetachedAlive({ pid, start }: DetachedProcess): boolean {
  const stat = statOf(pid);
  return stat?.start === start && stat.state !== 'Z' && stat.state !== 'X';
}

export function signalDetached(detached: readonly DetachedProcess[], signal: NodeJS.Signals): void {
  for (const each of detached.filter(isDetachedAlive)) {
    try {
      process.kill(each.pid, signal);
    } catch {
      // It ended by itself, or became somebody else's (setuid); nothing more can be done about it.
    }
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      (readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').match(/\d+/g) ?? []).map(Number),
    );
  } catch {
    // It ended meanwhile, or the kernel keeps no such lists.
    return [];
  }
}

function statOf(pid: number): (DetachedProcess & { readonly state: string; readonly group: number }) | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in brackets, whatever it contains; the fields of proc(5) go on after the last bracket.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, state: fields[0] ?? '', group: Number(fields[2]), start: fields[19] ?? '' };
  } catch {
    // It is gone.
    return undefined;
  }
}

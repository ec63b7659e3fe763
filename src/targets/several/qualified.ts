/** The name of a target as its user writes it: without the characters `_` and `+`, after which a name of the target's own begins. */
export const TARGET_NAME = /^[a-z0-9-]{1,64}$/;

/** What a name that clients use stands for. */
export interface TargetedName {
  /** The target's name among the `targets`. */
  readonly target: string;
  /** The name, URI or id by which the target itself knows it. */
  readonly name: string;
}

/** The kinds of names that clients use. */
export type NameKind = 'tool' | 'prompt' | 'resource' | 'task';

const JOINTS = { tool: '_', prompt: '_', resource: '+', task: '+' } as const satisfies Record<NameKind, string>;

/** Joins a target's name and a name of its own: `github_search`, `github+file:///a`. */
export function qualify(kind: NameKind, target: string, name: string): string {
  return target + JOINTS[kind] + name;
}

/** Takes a joined name apart. Undefined if it does not begin with a target's name. */
export function splitQualified(kind: NameKind, name: string): TargetedName | undefined {
  const joint = name.indexOf(JOINTS[kind]);
  return joint < 1 ? undefined : { target: name.slice(0, joint), name: name.slice(joint + 1) };
}

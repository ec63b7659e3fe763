/** The name of a target, as in the option `targets`. It has no `_` and no `+`: these separate it from the target's own names. */
export const TARGET_NAME = /^(?=.{1,64}$)[a-z0-9-]+(?:\.[a-z0-9-]+)*$/;

/** The target of a name that clients use, and the target's own name for the same thing. */
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

/** Splits a joined name. Undefined if it does not begin with the name of a target. */
export function splitQualified(kind: NameKind, name: string): TargetedName | undefined {
  const joint = name.indexOf(JOINTS[kind]);
  return joint < 1 ? undefined : { target: name.slice(0, joint), name: name.slice(joint + 1) };
}

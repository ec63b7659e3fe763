import { JOINED_TABLE } from '../../bridge/joined-options.js';
import { BACKEND_OPTIONS, CHILD_OPTIONS, HTTP_OPTIONS, SERVER_OPTIONS, STDIO_OPTIONS } from '../schema/backend-keys.js';
import { INSTEAD_FOR_REMOTE } from '../schema/misplaced-keys.js';
import { StartupError } from '../startup-error.js';
import type { ConfigNode } from './config-node.js';

interface Target {
  readonly server: { readonly options: Readonly<Record<string, unknown>>; readonly at: string };
}

interface Serving {
  readonly targets: readonly Target[];
  /** The key for which the messages of an only target are read. */
  readonly reason: string | undefined;
}

/** Refuses the options of all targets that these targets cannot have, and a target that has an option of all, where their messages are read. */
export function refuseOtherOptions(members: Readonly<Record<string, ConfigNode | undefined>>, serving: Serving): void {
  for (const [name, node] of Object.entries(members)) {
    const problem = Object.hasOwn(BACKEND_OPTIONS, name) ? problemWith(name, serving) : undefined;
    if (problem !== undefined) node?.refuse(problem);
  }
  const { targets, reason } = serving;
  if (targets.length === 1 && reason === undefined) return;
  for (const { server } of targets) {
    const own = isRemote({ server }) ? SERVER_OPTIONS : CHILD_OPTIONS;
    const other = Object.keys(server.options).find((option) => !Object.hasOwn(own, option));
    if (other === undefined) continue;
    const problem = problemWith(other, serving);
    if (problem !== undefined) throw new StartupError(`${server.at}.${other} ${problem}`);
    const why = targets.length > 1 ? 'has several items' : `is served with ${reason}`;
    members.targets?.refuse(`${why}, so write ${other} beside it, and not in ${server.at}`);
  }
}

/** Says why the targets cannot have an option of all targets. Undefined if they can. */
function problemWith(name: string, { targets, reason }: Serving): string | undefined {
  const [first, ...others] = targets;
  const isOneRemote = first !== undefined && others.length === 0 && isRemote(first);
  if (Object.hasOwn(JOINED_TABLE, name)) return undefined;
  if (isOneRemote && reason === undefined) {
    if (Object.hasOwn(HTTP_OPTIONS, name)) return undefined;
    return `is not for one remote target. ${INSTEAD_FOR_REMOTE.get(name) ?? 'Remove it.'}`;
  }
  if (Object.hasOwn(STDIO_OPTIONS, name)) return undefined;
  if (isOneRemote) return `contradicts ${reason}: remove one of them`;
  return `is for one remote target only${others.length > 0 ? ', and there are several targets' : ''}. Remove it.`;
}

function isRemote({ server }: Target): boolean {
  return 'url' in server;
}

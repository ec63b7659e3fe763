import cluster from 'node:cluster';
import type { Advice } from '../core/advice.js';
import type { OptionChecks } from '../options/checks.js';

/** The names of replicas: labels of DNS, as pods and hosts have them. A name needs no escape in a header or in a proxy's configuration. */
export const REPLICA_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

export const REPLICA_FORM = 'letters, digits and hyphens, 63 characters at most, with a letter or digit at both ends';

/** Reads the option `replica`. */
export function readReplica(checks: OptionChecks, value: unknown, option: string): string {
  return typeof value === 'string' && REPLICA_NAME.test(value)
    ? value
    : checks.refuse(option, REPLICA_FORM, value, 'Give each replica a name of its own, such as "a".');
}

/** Returns the warning to log at construction if several processes of this program serve sessions whose ids do not name the process. */
export function replicaWarning(
  { sessions, replica }: { readonly sessions: boolean; readonly replica: string | undefined },
  { names }: Pick<Advice, 'names'>,
): string[] {
  const { env } = process;
  const manager = sessions && replica === undefined ? managerOfProcesses(env, cluster.isWorker) : undefined;
  if (manager === undefined) return [];
  const [withName, without] = [names.get('replica') ?? 'replica', names.get('sessions') ?? 'sessions: false'];
  return [
    `${manager} runs this program in several processes, and each has sessions that the others do not know: a request that reaches ` +
      `another process is answered 404. Give each process its own port and name (${withName}), or serve clients without sessions ` +
      `(${without}). See docs/replicas.md`,
  ];
}

/**
 * Returns what runs this program in several processes; undefined if it seems to be the only one.
 *
 * @param isWorker True in a worker of `node:cluster`.
 */
function managerOfProcesses(env: NodeJS.ProcessEnv, isWorker: boolean): string | undefined {
  if (env.pm_id === undefined && env.NODE_APP_INSTANCE === undefined) return isWorker ? 'node:cluster' : undefined;
  // PM2 sets these variables for a single process too. It writes its option `-i` into `instances`.
  return env.instances === '1' ? undefined : 'PM2';
}

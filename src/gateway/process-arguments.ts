import { resolve } from 'node:path';
import { REPLICA_FORM, REPLICA_NAME } from '../bridge/replica.js';
import { MAX_DRAIN_SECONDS, MAX_TIME_SECONDS, type ProcessConfig } from './config/process-settings.js';
import { parseServerAddress, type ServerAddress } from './config/server-address.js';

/** The options of the command line with settings of the process. */
export const PROCESS_OPTIONS = {
  admin: { type: 'string' },
  'admin-password-file': { type: 'string' },
  health: { type: 'string' },
  'drain-seconds': { type: 'string' },
  'keep-alive-seconds': { type: 'string' },
  replica: { type: 'string' },
} as const;

type ProcessArguments = { readonly [Name in keyof typeof PROCESS_OPTIONS]?: string | undefined };

/** Their lines in the text of `--help`. */
export const PROCESS_USAGE = `      --admin ADDRESS  serve the page /ui/, /healthz, /readyz and /metrics to this machine (default: 127.0.0.1:15000;
                       "off": not at all)
      --admin-password-file FILE
                       ask for this password at /ui/, and serve the page on an --admin of other machines too
      --health ADDRESS serve /healthz and /readyz to others, such as Kubernetes, on an address such as 0.0.0.0:15021
      --drain-seconds N
                       let calls finish for N seconds after SIGTERM or Ctrl-C (default: 10); a second one ends at once
      --keep-alive-seconds N
                       keep connections without a request for N seconds (default: 75)
      --replica NAME   the name of this process among several of the same server: the ids of its sessions begin with it`;

/** @throws {StartupError} If one of them is wrong. */
export function parseProcessArguments(args: ProcessArguments, usageError: (problem: string) => Error): ProcessConfig {
  const {
    admin,
    'admin-password-file': passwordFile,
    health,
    'drain-seconds': drain,
    'keep-alive-seconds': keepAlive,
    replica,
  } = args;
  if (replica !== undefined && !REPLICA_NAME.test(replica)) throw usageError(`--replica must be ${REPLICA_FORM}`);
  const address = (text: string, option: string, or = ''): ServerAddress => {
    const parsed = parseServerAddress(text);
    if (parsed === undefined) throw usageError(`${option} must be an address and a port, such as 127.0.0.1:15000${or}`);
    return parsed;
  };
  const seconds = (text: string, option: string, [min, max]: readonly [number, number]): number => {
    const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= min && number <= max))
      throw usageError(`${option} must be a number of seconds from ${min} to ${max}`);
    return number;
  };
  return {
    ...(replica !== undefined && { replica }),
    ...(admin !== undefined && { admin: admin === 'off' ? admin : address(admin, '--admin', ', or off') }),
    ...(passwordFile !== undefined && { adminPassword: { file: resolve(passwordFile) } }),
    ...(health !== undefined && { health: address(health, '--health') }),
    ...(drain !== undefined && { drainSeconds: seconds(drain, '--drain-seconds', [0, MAX_DRAIN_SECONDS]) }),
    ...(keepAlive !== undefined && {
      keepAliveSeconds: seconds(keepAlive, '--keep-alive-seconds', [1, MAX_TIME_SECONDS]),
    }),
  };
}

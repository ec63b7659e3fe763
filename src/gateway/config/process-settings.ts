import type { ConfigNode } from './config-node.js';
import { readSeconds } from './seconds.js';
import { parseServerAddress, type ServerAddress } from './server-address.js';
import { readTextSource, type TextSource } from './text-source.js';

/** The times of the process, in seconds. */
export interface ProcessTimes {
  /** The longest time that calls get to finish at the end. */
  readonly drainSeconds: number;
  /** The shortest time between the signal to stop and the end. */
  readonly minDrainSeconds: number;
  /** The time for which a connection without a request stays open. */
  readonly keepAliveSeconds: number;
  /** The time in which the headers of a request must arrive. */
  readonly headersSeconds: number;
  /** The time in which a whole request must arrive. */
  readonly requestSeconds: number;
}

/** The settings of the process, from the file and the command line: its health, its connections and its end. */
export interface ProcessConfig extends Partial<ProcessTimes> {
  /** The admin address. `off`: there is none. */
  readonly admin?: ServerAddress | 'off';
  /** The password of the page for operators. Without it, only this machine gets the page. */
  readonly adminPassword?: TextSource;
  /** The address that serves the health alone. */
  readonly health?: ServerAddress;
  /** The address that serves the metrics alone. */
  readonly stats?: ServerAddress;
  /** The name of this process among its replicas; only on the command line. */
  readonly replica?: string;
}

/** The times that apply unless the file or the command line has others. */
export const PROCESS_DEFAULTS: ProcessTimes = Object.freeze({
  drainSeconds: 10,
  minDrainSeconds: 0,
  // Longer than the idle time of load balancers (60 seconds), which otherwise send requests on connections that end.
  keepAliveSeconds: 75,
  headersSeconds: 60,
  requestSeconds: 300,
});

/** Returns the times that apply. */
export function timesOf(config: ProcessConfig): ProcessTimes {
  const times = { ...PROCESS_DEFAULTS, ...config };
  // Node refuses a longer time for the headers than for the whole request.
  return { ...times, headersSeconds: config.headersSeconds ?? Math.min(times.headersSeconds, times.requestSeconds) };
}

/** The admin address unless the user chooses another one, as in agentgateway. */
export const DEFAULT_ADMIN: ServerAddress = Object.freeze({ host: '127.0.0.1', port: 15_000 });

export const MAX_DRAIN_SECONDS = 3_600;
export const MAX_TIME_SECONDS = 86_400;

const TIMES = {
  connectionTerminationDeadline: ['drainSeconds', 0, MAX_DRAIN_SECONDS],
  connectionMinTerminationDeadline: ['minDrainSeconds', 0, MAX_DRAIN_SECONDS],
  keepAliveTimeout: ['keepAliveSeconds', 1, MAX_TIME_SECONDS],
  headersTimeout: ['headersSeconds', 1, MAX_TIME_SECONDS],
  requestTimeout: ['requestSeconds', 1, MAX_TIME_SECONDS],
} as const;

type ProcessNodes = {
  readonly [Name in 'adminAddr' | 'adminPassword' | 'readinessAddr' | 'statsAddr' | keyof typeof TIMES]?: ConfigNode;
};

/**
 * Reads these members of the section `config`.
 *
 * @param ofCommand The settings of the command line, which override those of the file.
 */
export function readProcessConfig(
  nodes: ProcessNodes,
  directory: string,
  ofCommand: ProcessConfig = {},
): ProcessConfig {
  const { adminAddr, adminPassword, readinessAddr, statsAddr } = nodes;
  const times = Object.entries(TIMES).flatMap(([member, [name, min, max]]) => {
    const node = nodes[member as keyof typeof TIMES];
    return node === undefined ? [] : [[name, readTime(node, min, max)] as const];
  });
  const config: ProcessConfig = {
    ...(adminAddr && { admin: adminAddr.value === 'off' ? 'off' : readAddress(adminAddr) }),
    ...(adminPassword && { adminPassword: readTextSource(adminPassword, directory) }),
    ...(readinessAddr && { health: readAddress(readinessAddr) }),
    ...(statsAddr && statsAddr.value !== 'off' && { stats: readAddress(statsAddr) }),
    ...Object.fromEntries(times),
  };
  refuseOrder(nodes, config, ofCommand);
  return config;
}

/** The headers are a part of the request, and the shortest drain is not longer than the longest. */
function refuseOrder(
  { headersTimeout, connectionMinTerminationDeadline }: ProcessNodes,
  config: ProcessConfig,
  ofCommand: ProcessConfig,
): void {
  const { headersSeconds, requestSeconds, drainSeconds, minDrainSeconds } = timesOf({ ...config, ...ofCommand });
  const longest = ofCommand.drainSeconds === undefined ? 'connectionTerminationDeadline' : '--drain-seconds';
  if (headersSeconds > requestSeconds)
    headersTimeout?.refuse(`is longer than requestTimeout, which is ${requestSeconds}s: raise that too`);
  if (minDrainSeconds > drainSeconds)
    connectionMinTerminationDeadline?.refuse(`is longer than ${longest}, which is ${drainSeconds}s: raise that too`);
}

function readTime(node: ConfigNode, min: number, max: number): number {
  const seconds = readSeconds(node);
  return seconds >= min && seconds <= max ? seconds : node.refuse(`must be from ${min}s to ${max}s`);
}

function readAddress(node: ConfigNode): ServerAddress {
  return (
    parseServerAddress(node.text()) ??
    node.refuse(`must be an address and a port, such as "0.0.0.0:15021", but is ${JSON.stringify(node.value)}`)
  );
}

import { JOINED_TABLE } from '../../bridge/joined-options.js';
import {
  BACKEND_OPTIONS,
  CHILD_OPTIONS,
  ELSEWHERE,
  HTTP_OPTIONS,
  SERVER_OPTIONS,
  STDIO_OPTIONS,
} from './backend-keys.js';

/** Advice on a key of programs or of several targets, for one remote target. */
export const INSTEAD_FOR_REMOTE: ReadonlyMap<string, string> = new Map([
  ['requestTimeoutSeconds', 'Write responseTimeoutSeconds beside host.'],
  ['startTimeoutSeconds', 'Write connectTimeoutSeconds or responseTimeoutSeconds beside host.'],
]);

const OF_ALL = Object.keys(BACKEND_OPTIONS);
const OF_ROUTE = ['statefulMode', 'dnsRebindingProtection', ...Object.keys(JOINED_TABLE)];
const OF_PROGRAMS = ['args', 'env', 'clear_env', ...Object.keys(CHILD_OPTIONS)];
const OF_REMOTE = Object.keys(SERVER_OPTIONS);

/** Keys that are not written beside `targets`, with advice. */
export const NOT_BESIDE_TARGETS = elsewhere([
  [['cmd', ...OF_PROGRAMS], 'Write it in stdio of a target.'],
  [['host', ...OF_REMOTE], 'Write it in mcp of a target.'],
]);

/** Keys that are not written beside `cmd`, with advice. */
export const NOT_BESIDE_CMD = elsewhere([
  [OF_ROUTE, 'Write it beside targets.'],
  [[...OF_REMOTE, ...OF_ALL.filter((name) => !Object.hasOwn(STDIO_OPTIONS, name))], 'It is for remote targets.'],
  [['responseTimeoutSeconds'], 'It is for remote targets. Write requestTimeoutSeconds.'],
]);

/** Keys that are not written beside `host`, with advice. */
export const NOT_BESIDE_HOST = elsewhere([
  [OF_PROGRAMS, 'It is for programs.'],
  [OF_ALL.filter((name) => !Object.hasOwn(HTTP_OPTIONS, name)), 'It is for programs and for several targets.'],
  [OF_ROUTE, 'Write it beside targets.'],
  [['requestTimeoutSeconds'], 'Write responseTimeoutSeconds.'],
  [['startTimeoutSeconds'], 'Write connectTimeoutSeconds or responseTimeoutSeconds.'],
]);

function elsewhere(rows: ReadonlyArray<readonly [readonly string[], string]>): ReadonlyMap<string, string> {
  const advice = rows.flatMap(([names, text]) => names.map((name) => [name, text] as const));
  return new Map([...advice, ...ELSEWHERE]);
}

import { BRIDGE_TABLE } from '../../bridge/bridge-options.js';
import { CHILD_TABLE } from '../../bridge/child-options.js';
import { HTTP_TABLE } from '../../bridge/http/http-options.js';
import { REMOTE_SERVER_ROWS } from '../../bridge/http/remote-server-options.js';
import { JOINED_TABLE } from '../../bridge/joined-options.js';
import type { Member, Members } from '../../options/value-type.js';

const BACKEND_TLS = 'Write policies.backendTLS: { root: FILE, cert: FILE, key: FILE } beside mcp.';
const FUNCTION = 'It is a function, which a file cannot have.';

/** Options of the backends that the file has under agentgateway's names or in other places, with advice. */
export const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['command', 'Write "cmd".'],
  ['url', 'Write "host".'],
  ['headers', 'Write policies.requestHeaderModifier: { set: { NAME: VALUE } } beside mcp.'],
  ['bearer', 'Write policies.backendAuth: { key: SECRET } beside mcp.'],
  ['ca', BACKEND_TLS],
  ['cert', BACKEND_TLS],
  ['key', BACKEND_TLS],
  ['sessions', 'Write statefulMode: stateless beside targets.'],
  ['replica', 'Start the command with --replica NAME.'],
  ['requestMeta', FUNCTION],
  ['allowedClientMeta', 'It needs requestMeta, a function, which a file cannot have.'],
  ['retry', 'Write policies.retry: { attempts, backoff, codes } in the route.'],
  ['resource', 'Write policies.mcpAuthentication.resourceMetadata.resource in the route.'],
  ['allowedOrigins', 'Write policies.cors.allowOrigins in the route.'],
  ['warnWhenOpen', 'The command itself warns of open routes.'],
  ['logger', 'The command writes the log.'],
  ['onCall', FUNCTION],
  ['recordContent', FUNCTION],
]);

/** The options of a table that a file has under their own names. */
export function inFile(table: Members): Members {
  return pick(table, (name, { type }) => type !== undefined && !ELSEWHERE.has(name));
}

/** Each table has the row of the first one, so that a row is there once. */
const bridge = inFile(BRIDGE_TABLE);
const http = inFile(HTTP_TABLE);

/** The options of a program that are written next to `cmd`. */
export const CHILD_OPTIONS = inFile(CHILD_TABLE);

/** The options of a remote server that are written next to `host`. */
export const SERVER_OPTIONS = inFile(REMOTE_SERVER_ROWS);

const OF_ALL = { ...inFile(JOINED_TABLE), ...http, ...bridge };

/** The options of all targets together. With one target they may also be written next to its `cmd` or `host`. */
export const BACKEND_OPTIONS: Members = Object.fromEntries(
  Object.entries(OF_ALL)
    .filter(([name]) => !Object.hasOwn(SERVER_OPTIONS, name))
    .map(([name, row]) => [name, withBothDefaults(row, http[name])]),
);

/** The options that `mcpStdioBackend()` has. */
export const STDIO_OPTIONS: Members = { ...CHILD_OPTIONS, ...pick(BACKEND_OPTIONS, (name) => name in bridge) };

/** The options that `mcpHttpBackend()` has. */
export const HTTP_OPTIONS: Members = { ...SERVER_OPTIONS, ...pick(BACKEND_OPTIONS, (name) => name in http) };

function pick(table: Members, isWanted: (name: string, member: Member) => boolean): Members {
  return Object.fromEntries(Object.entries(table).filter(([name, member]) => isWanted(name, member)));
}

function withBothDefaults(row: Member, ofRemote: Member | undefined): Member {
  if (ofRemote === undefined || row.default === ofRemote.default) return row;
  const { default: ofPrograms, ...rest } = row;
  return { ...rest, otherwise: `\`${ofPrograms}\`; \`${ofRemote.default}\` with one remote target` };
}

import { BRIDGE_TABLE } from '../../bridge/bridge-options.js';
import { CHILD_TABLE } from '../../bridge/child-options.js';
import { HTTP_TABLE } from '../../bridge/http/http-options.js';
import { REMOTE_SERVER_ROWS } from '../../bridge/http/remote-server-options.js';
import { JOINED_TABLE } from '../../bridge/joined-options.js';

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
  ['requestMeta', FUNCTION],
  ['allowedClientMeta', 'It needs requestMeta, a function, which a file cannot have.'],
  ['retry', 'Write policies.retry: { attempts, backoff, codes } in the route.'],
  ['resource', 'Write policies.mcpAuthentication.resourceMetadata.resource in the route.'],
  ['allowedOrigins', 'Write policies.cors.allowOrigins in the route.'],
  ['warnWhenOpen', 'The command itself warns of open routes.'],
  ['logger', 'The command writes the log.'],
]);

const inFile = (table: object): readonly string[] => Object.keys(table).filter((name) => !ELSEWHERE.has(name));

/** The options of a program that are written next to `cmd`. */
export const CHILD_OPTIONS = inFile(CHILD_TABLE);

/** The options of a remote server that are written next to `host`. */
export const SERVER_OPTIONS = inFile(REMOTE_SERVER_ROWS);

/** The options of all targets together. With one target they may also be written next to its `cmd` or `host`. */
export const BACKEND_OPTIONS: readonly string[] = [
  ...new Set([...inFile(JOINED_TABLE), ...inFile(BRIDGE_TABLE), ...inFile(HTTP_TABLE)]),
].filter((name) => !SERVER_OPTIONS.includes(name));

/** The options that `mcpStdioBackend()` has. */
export const STDIO_OPTIONS = [...CHILD_OPTIONS, ...inFile(BRIDGE_TABLE)];

/** The options that `mcpHttpBackend()` has. */
export const HTTP_OPTIONS = inFile(HTTP_TABLE);

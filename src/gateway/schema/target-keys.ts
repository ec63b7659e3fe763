import { CHILD_TABLE } from '../../bridge/child-options.js';
import { FLAG, listOf, type Members, membersOf, oneOfWords, TEXT } from '../../options/value-type.js';
import { BACKEND_OPTIONS, HTTP_OPTIONS, STDIO_OPTIONS } from './backend-keys.js';
import { TARGET_POLICIES } from './policy-keys.js';
import { PORT } from './value-forms.js';

const { args, env } = CHILD_TABLE;

/** A program. */
export const STDIO = {
  cmd: { type: TEXT, isRequired: true },
  args,
  env,
  clear_env: { type: FLAG, default: false },
  ...STDIO_OPTIONS,
} as const satisfies Members;

/** A remote server. */
export const REMOTE = {
  host: { type: TEXT, isRequired: true },
  port: { type: PORT, otherwise: 'that of `host`' },
  path: { type: TEXT, otherwise: 'that of `host`' },
  ...HTTP_OPTIONS,
} as const satisfies Members;

export const TARGET = {
  name: { type: TEXT, otherwise: 'needed if there are several' },
  stdio: { type: membersOf('stdio', STDIO) },
  mcp: { type: membersOf('remote', REMOTE) },
  policies: { type: membersOf('target policies', TARGET_POLICIES) },
} as const satisfies Members;

/** The MCP servers of a route, and the options of all of them. */
export const MCP_SERVERS = {
  targets: { type: listOf(membersOf('target', TARGET), 1), isRequired: true },
  statefulMode: { type: oneOfWords(['stateful', 'stateless']), default: 'stateful' },
  dnsRebindingProtection: { type: FLAG, default: false },
  ...BACKEND_OPTIONS,
} as const satisfies Members;

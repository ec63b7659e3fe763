import type { OptionChecks } from '../options/checks.js';
import { type OptionTable, type ResolvedOptions, word } from '../options/option-table.js';
import { ANY, either, FLAG, membersOf, TEXT } from '../options/value-type.js';
import { PinFile } from '../targets/several/pin-file.js';
import { FAILURE_MODES, type FailureMode, PREFIX_MODES, type PrefixMode } from '../targets/several/several-options.js';

/** The options for several targets behind one address. */
export interface JoinedOptions {
  /**
   * When the names of tools and prompts begin with the name of their target, as in `github_search`. `conditional`: if there are several
   * targets. `never`: a name that two targets have is hidden from clients, and logged.
   * @default 'conditional'
   */
  readonly prefixMode?: PrefixMode | undefined;
  /**
   * The behaviour if one target does not answer. `failClosed`: sessions cannot be opened, and lists fail. `failOpen`: they go on without
   * it, and the log says which target is missing. Calls to the other targets always go on. @default 'failClosed'
   */
  readonly failureMode?: FailureMode | undefined;
  /** The name and version that clients see in place of those of the targets. @default { name: 'express-mcp-auth', version: '1' } */
  readonly serverInfo?: ServerInfo | undefined;
  /**
   * Remembers the definition of each tool when it is first listed, and hides a tool that changes later: until this process restarts
   * (`true`), or until its entry is removed from the file with this path. @default false
   */
  readonly pin?: boolean | string | undefined;
}

/** The name and version of a server (`Implementation` in MCP). */
export interface ServerInfo {
  /** The name of the server, for programs. */
  readonly name: string;
  /** Its version, in any form. */
  readonly version: string;
  readonly [member: string]: unknown;
}

const SERVER_INFO = {
  name: { type: TEXT, isRequired: true },
  version: { type: TEXT, isRequired: true },
} as const;
const SERVER_INFO_TYPE = membersOf('serverInfo', SERVER_INFO, { pattern: /^/, type: ANY });

export const JOINED_TABLE = {
  prefixMode: word(PREFIX_MODES, 'conditional', 'Leave it out for "conditional".'),
  failureMode: word(FAILURE_MODES, 'failClosed', 'Leave it out for "failClosed".'),
  serverInfo: { default: { name: 'express-mcp-auth', version: '1' }, type: SERVER_INFO_TYPE, read: readServerInfo },
  pin: { default: false, type: either(FLAG, TEXT), read: readPin },
} satisfies OptionTable<JoinedOptions>;

export type ResolvedJoining = ResolvedOptions<typeof JOINED_TABLE>;

function readServerInfo(checks: OptionChecks, value: unknown, option: string): Readonly<Record<string, unknown>> {
  const fix = 'Write { name: "…", version: "…" }.';
  const info = checks.record(value, option, fix);
  checks.string(info.name, `${option}.name`, fix);
  checks.string(info.version, `${option}.version`, fix);
  return Object.freeze({ ...info });
}

function readPin(checks: OptionChecks, value: unknown, option: string): boolean | string {
  if (typeof value === 'boolean') return value;
  const fix = 'Use true, or the path of a file.';
  if (typeof value !== 'string' || value === '') return checks.refuse(option, 'true, false or a path', value, fix);
  try {
    new PinFile(value).readChanged();
  } catch (error) {
    const { message } = error as Error;
    const expected = `a file with the hashes of tools (${message}), or one that does not exist yet`;
    checks.refuse(option, expected, value, 'Correct the path, or correct or delete the file.');
  }
  return value;
}

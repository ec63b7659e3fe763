import type { AuthInfo } from '../core/auth-info.js';
import type { OptionChecks } from '../options/checks.js';
import { type OptionTable, readOptions } from '../options/option-table.js';
import { TARGET_NAME } from '../targets/several/qualified.js';
import { BRIDGE_TABLE } from './bridge-options.js';
import { CHILD_TABLE, type ChildOptions, type ResolvedChild, requireChild } from './child-options.js';
import {
  type CallerHeaders,
  REMOTE_SERVER_ROWS,
  type RemoteServerOptions,
  type ResolvedServer,
  requireRemoteServer,
} from './http/remote-server-options.js';

/** A remote MCP server among the `targets` of `mcpBackend()`. */
export interface RemoteTarget extends RemoteServerOptions {
  /** A remote server is not started. */
  readonly command?: undefined;
  /**
   * Headers for the MCP server; or a function that takes the caller (`undefined`: anonymous) and returns them or a promise of them. The
   * function is called for each request. If it throws, takes longer than 10 seconds or returns anything else, the request fails.
   * @default {}
   */
  readonly headers?:
    | CallerHeaders
    | ((auth: AuthInfo | undefined) => CallerHeaders | PromiseLike<CallerHeaders>)
    | undefined;
}

/** An MCP server among the `targets` of `mcpBackend()` that is started as a child process. */
export interface ChildTarget extends ChildOptions {
  /** A program has no address. */
  readonly url?: undefined;
}

/** One of the MCP servers behind `mcpBackend()`. */
export type McpTarget = ChildTarget | RemoteTarget;

const REMOTE_TARGET_TABLE = REMOTE_SERVER_ROWS satisfies OptionTable<Omit<RemoteTarget, 'command'>>;

export type ResolvedTarget =
  | { readonly kind: 'child'; readonly child: ResolvedChild }
  | { readonly kind: 'remote'; readonly server: ResolvedServer };

const EXAMPLE = 'Write { command: "…" } or { url: "…" }.';

/** Reads the option `targets`. */
export function readTargets(checks: OptionChecks, value: unknown, option: string): ReadonlyMap<string, ResolvedTarget> {
  const given = checks.record(value, option, `Name each target: { name: … }. ${EXAMPLE}`);
  const names = Object.keys(given);
  if (names.length === 0) checks.refuseUnquoted(option, 'an object with at least one target', EXAMPLE);
  const wrong = names.find((name) => !TARGET_NAME.test(name));
  if (wrong !== undefined) {
    const fix = 'Rename it: the names of its tools follow after an underscore.';
    checks.refuse(option, 'names of lower-case letters, digits and hyphens, with dots between them', wrong, fix);
  }
  return new Map(names.map((name) => [name, readTarget(checks, given[name], `${option}.${name}`)]));
}

function readTarget(checks: OptionChecks, value: unknown, option: string): ResolvedTarget {
  const given = checks.record(value, option, EXAMPLE);
  const path = `${option}.`;
  if ((given.command === undefined) === (given.url === undefined))
    return checks.refuseUnquoted(option, `an object with either command or url${membersOf(given)}`, EXAMPLE);
  const { command, url, ...others } = given;
  for (const name of Object.keys(others)) refuseElsewhere(checks, `${path}${name}`, name, url === undefined);
  if (url === undefined) {
    const values = readOptions(checks, CHILD_TABLE, { command, ...others }, option);
    return { kind: 'child', child: requireChild(checks, values, given.env, path) };
  }
  const server = readOptions(checks, REMOTE_TARGET_TABLE, { url, ...others }, option);
  return { kind: 'remote', server: { ...server, url: requireRemoteServer(checks, server, path) } };
}

/** The names of the members, for a message: their values may be secrets. */
function membersOf(given: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(given).filter((name) => given[name] !== undefined);
  return names.length === 0 ? '' : ` (it has ${names.join(', ')})`;
}

/** Refuses an option that belongs to the backend or to the other kind of target, and says where it belongs. */
function refuseElsewhere(checks: OptionChecks, option: string, name: string, isChild: boolean): void {
  const [own, other] = isChild ? [CHILD_TABLE, REMOTE_TARGET_TABLE] : [REMOTE_TARGET_TABLE, CHILD_TABLE];
  if (Object.hasOwn(own, name)) return;
  if (Object.hasOwn(BRIDGE_TABLE, name))
    checks.refuseUnquoted(option, 'left out', `Write it beside targets: mcpBackend({ targets: { … }, ${name}: … }).`);
  if (Object.hasOwn(other, name)) {
    const [kind, key] = isChild ? ['remote servers', 'url'] : ['programs', 'command'];
    checks.refuseUnquoted(option, 'left out', `It is an option of ${kind}, which have "${key}".`);
  }
}

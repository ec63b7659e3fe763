import { isCommandLine } from '../../targets/stdio/is-command-line.js';
import { NOT_BESIDE_CMD } from '../schema/misplaced-keys.js';
import { STDIO } from '../schema/target-keys.js';
import type { ConfigNode } from './config-node.js';
import { readFileName } from './text-source.js';

/** A program that speaks MCP on its standard input and output. */
export interface StdioTarget {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Options of `mcpStdioBackend()` under their own names. `mcpStdioBackend()` checks them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** True if the file says which variables of the command's own environment the program gets. */
  readonly saysWhatItInherits: boolean;
  readonly at: string;
}

/** Reads the member `stdio` of a target. */
export function readStdioTarget(node: ConfigNode, directory: string): StdioTarget {
  const { cmd, args, env, clear_env, ...rest } = node.members(STDIO, { elsewhere: NOT_BESIDE_CMD });
  const variables = Object.fromEntries(env?.children().map(([key, value]) => [key, readArgument(value)]) ?? []);
  const isCleared = clear_env?.flag() ?? false;
  const others: Partial<Record<string, ConfigNode>> = rest;
  const { inheritEnv, cwd } = others;
  if (isCleared) inheritEnv?.refuse('contradicts clear_env: remove one of them');
  return {
    command: readCommand(cmd, variables.PATH),
    args: args?.items().map(readArgument) ?? [],
    env: variables,
    options: {
      ...Object.fromEntries(Object.entries(others).map(([name, option]) => [name, option?.option()])),
      ...(cwd && { cwd: readFileName(cwd, directory).file }),
    },
    saysWhatItInherits: isCleared || inheritEnv !== undefined,
    at: node.path,
  };
}

function readCommand(node: ConfigNode, path: string | undefined): string {
  const command = node.text();
  if (isCommandLine(command, undefined, path))
    node.refuse('must be the program only: put each of its arguments into args');
  return command;
}

/** Arguments and variables may be empty, which `text()` refuses. */
function readArgument(node: ConfigNode): string {
  return node.value === '' ? '' : node.text();
}

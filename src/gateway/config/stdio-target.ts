import { isCommandLine } from '../../targets/stdio/is-command-line.js';
import type { ConfigNode } from './config-node.js';

/** A program that is an MCP server. */
export interface StdioTarget {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The option of `mcpStdioBackend()`. */
  readonly startTimeoutSeconds?: number;
  readonly at: string;
}

/** Reads the member `stdio` of a target. */
export function readStdioTarget(stdio: ConfigNode): StdioTarget {
  const { cmd, args, env, startTimeoutSeconds } = stdio.members({
    required: ['cmd'],
    optional: ['args', 'env', 'startTimeoutSeconds'],
  });
  const variables = Object.fromEntries(env?.children().map(([key, value]) => [key, readArgument(value)]) ?? []);
  return {
    command: readCommand(cmd, variables.PATH),
    args: args?.items().map(readArgument) ?? [],
    env: variables,
    ...(startTimeoutSeconds && { startTimeoutSeconds: startTimeoutSeconds.count() }),
    at: stdio.path,
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

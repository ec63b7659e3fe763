import { type ParseArgsConfig, parseArgs } from 'node:util';
import { StartupError } from './startup-error.js';

/** How a command says what is wrong with its arguments. */
export type UsageError = (problem: string, options?: ErrorOptions) => StartupError;

/** @param help What to call for the whole text. */
export function usageErrorFor(help: string): UsageError {
  return (problem, options) => new StartupError(`${problem}. See ${help}.`, options);
}

/** @throws {StartupError} */
export function parseArguments<const T extends ParseArgsConfig>(
  config: T,
  usageError: UsageError,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // parseArgs explains at length after its first sentence; ours is the shorter way on.
    throw usageError((error as Error).message.split('. ')[0] ?? '', { cause: error });
  }
}

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { StartupError } from './startup-error.js';

/** Creates an error for wrong arguments of one command. */
export type UsageError = (problem: string, options?: ErrorOptions) => StartupError;

/**
 * Creates the errors for wrong arguments of a command.
 *
 * @param help The command line that prints its help.
 */
export function usageErrorFor(help: string): UsageError {
  return (problem, options) => new StartupError(`${problem}. See ${help}.`, options);
}

/**
 * Parses the arguments of one command.
 *
 * @throws {StartupError} Also if an option with a value is given twice and is not `multiple`: the command would ignore the first value.
 */
export function parseArguments<const T extends ParseArgsConfig>(
  config: T,
  usageError: UsageError,
): ReturnType<typeof parseArgs<T>> {
  const parse = <const C extends ParseArgsConfig>(by: C) => {
    try {
      return parseArgs(by);
    } catch (error) {
      // After its first sentence, parseArgs explains at length. The hint at --help is shorter.
      throw usageError(withoutTokens((error as Error).message.split(/\.\s/)[0] ?? ''), { cause: error });
    }
  };
  const { tokens, values } = parse({ ...(config as ParseArgsConfig), tokens: true });
  const asksForHelp = 'help' in values && values.help === true;
  const twice = asksForHelp ? undefined : repeatedOption(tokens, config.options);
  if (twice !== undefined) throw usageError(`${twice} is given twice`);
  return parse(config);
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];

/** Returns the option as the user wrote it the second time. */
function repeatedOption(tokens: readonly Token[] = [], options: ParseArgsConfig['options'] = {}): string | undefined {
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option' || token.value === undefined || options[token.name]?.multiple === true) continue;
    if (seen.has(token.name)) return token.rawName;
    seen.add(token.name);
  }
  return undefined;
}

/** An argument in the wrong place may be a token, which must not appear on a screen or in a log. */
export function withoutTokens(text: string): string {
  return text.replace(/[\w.~+/=-]{32,}/g, '…');
}

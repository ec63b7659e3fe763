import { dirname } from 'node:path';
import { parseConfigFile } from './config/config-file.js';
import type { GatewayConfig } from './config/gateway-config.js';
import { MAX_DRAIN_SECONDS, type ProcessConfig } from './config/process-settings.js';
import { type EnvironmentVariables, ExpandedTexts } from './config/variables.js';
import { InputFiles } from './input-files.js';
import { showConfig } from './schema/show-config.js';
import { atPlace, StartupError } from './startup-error.js';

/** A configuration file that was read. */
export interface LoadedConfig {
  readonly config: GatewayConfig;
  /** The beginning of the file's SHA-256. */
  readonly hash: string;
  /** The files that were read. Those that the configuration names are read from here too. */
  readonly files: InputFiles;
  /**
   * Runs a step of the start. Its messages begin with the name of the file, and have no values of variables, which may be secrets.
   *
   * @throws {StartupError}
   */
  step<T>(run: () => T): T;
  /** Replaces the values of variables in a line by their names. */
  conceal(line: string): string;
}

/** The values of variables, and the parts that are left out. */
export interface LoadSettings {
  readonly env: EnvironmentVariables;
  readonly ignored?: readonly string[];
  /** Called for each of them that leaves nothing out. By default, the file is refused. */
  readonly onUnused?: (name: string) => void;
  readonly files?: InputFiles;
  /** The settings on the command line, which override those of the file. */
  readonly process?: ProcessConfig;
}

/** For a subcommand that serves nothing: `--drain-seconds` may allow the longest drain. */
export const NO_DRAIN: ProcessConfig = { drainSeconds: MAX_DRAIN_SECONDS };

/** @throws {StartupError} If the file cannot be read or used. */
export function loadConfig(file: string, settings: LoadSettings): LoadedConfig {
  const { env, ignored, onUnused, process, files = new InputFiles() } = settings;
  const text = files.read(file);
  const texts = new ExpandedTexts(env);
  const step = <T>(run: () => T) => concealing(texts, () => atPlace(file, run));
  const config = step(() => parseConfigFile(text, dirname(file), { texts, ignored, onUnused, process }));
  const served = { ...config, shown: showConfig(text), process: { ...config.process, ...process } };
  return { config: served, hash: files.hashOf(file), files, step, conceal: (line) => texts.conceal(line) };
}

function concealing<T>(texts: ExpandedTexts, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    throw new StartupError(texts.conceal(error.message), { cause: error });
  }
}

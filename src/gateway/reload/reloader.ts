import { isDeepStrictEqual } from 'node:util';
import { withSentence } from '../../core/sentences.js';
import { watchFiles } from '../../core/watch-files.js';
import type { Logger } from '../../index.js';
import type { RunCommand } from '../command-line.js';
import { requireIssuers, resourcesOf, withDevIssuer } from '../config/dev-issuer-policies.js';
import type { GatewayConfig } from '../config/gateway-config.js';
import { describeUnused } from '../config/ignored-names.js';
import type { EnvironmentVariables } from '../config/variables.js';
import type { DevIssuer } from '../dev-issuer/dev-issuer.js';
import type { Gateway } from '../gateway.js';
import { InputFiles } from '../input-files.js';
import { type LoadedConfig, loadConfig } from '../load-config.js';
import { refuseSameAddresses } from '../same-addresses.js';
import { failureText } from '../startup-error.js';
import { describeChanges, newAddressesIn, warningsOf } from './describe-changes.js';
import { selfReadFilesOf } from './route-key.js';
import type { ConfigChanges } from './versions.js';
import { listWeakenings, weakeningsBetween } from './weakenings.js';

/** A file that is being written has the same content twice after this time. */
const SETTLE_MS = 50;
/** A file that keeps changing is read this often at most. */
const MAX_READS = 20;
/** A version that protects less is used once it has stayed the same for this time: the rest of it may not be written yet. */
const WEAKER_AFTER_MS = 5_000;

const RESTART =
  'adminAddr, adminPassword, readinessAddr, statsAddr, store, logging or tracing has changed, which takes effect with the next start';

interface ReloaderParts {
  readonly command: RunCommand;
  readonly gateway: Gateway;
  readonly devIssuer: DevIssuer | undefined;
  readonly logger: Logger;
  readonly env: EnvironmentVariables;
  /** Runs a step. The warnings and errors that it logs pass through `conceal`, as those of the start. */
  concealing<T>(conceal: LoadedConfig['conceal'], run: () => T): T;
}

interface RunFacts {
  /** True if the operator asked for it. */
  readonly isAsked: boolean;
  readonly weakenings: readonly string[];
}

/** Reads the configuration file again when it, or a file that it names, changes. */
export class Reloader {
  readonly #parts: ReloaderParts;
  /** The files that were read last, and what they contained. */
  #names: readonly string[] = [];
  #digest = '';
  #hash: string;
  #settings: ReturnType<typeof settingsOfStart>;
  /** The version in use. */
  #config: GatewayConfig;
  /** Set while a version that protects less has to stay the same, and until it is used. */
  #waiting: NodeJS.Timeout | undefined;
  #isDue = false;
  #endWatch: () => void = () => undefined;
  #running: Promise<void> | undefined;
  /** The next run, if there is to be one: true if the operator asked for it. */
  #next: boolean | undefined;
  #isClosed = false;
  /** True while the file that was read last is not in use, because it cannot be, or has to stay the same. */
  #isPending = false;
  /** The names given to `--ignore` that leave nothing out of the file that was read last. */
  #unused: readonly string[] = [];

  /** @param loaded What the command has started with. */
  constructor(parts: ReloaderParts, loaded: LoadedConfig) {
    this.#parts = parts;
    this.#hash = loaded.hash;
    this.#settings = settingsOfStart(loaded);
    this.#config = loaded.config;
    this.#remember(loaded.files, loaded);
  }

  /**
   * Reads the files again, after the run that is under way.
   *
   * @param isAsked True if the operator asked for it: then it says so even if nothing has changed.
   */
  reload(isAsked: boolean): void {
    if (this.#isClosed) return;
    this.#next = (this.#next ?? false) || isAsked;
    this.#running ??= this.#runAll();
  }

  /** Stops reading; resolves when the run that is under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endWatch();
    clearTimeout(this.#waiting);
    await this.#running;
  }

  async #runAll(): Promise<void> {
    while (this.#next !== undefined && !this.#isClosed) {
      const isAsked = this.#next;
      this.#next = undefined;
      // A failure must not end the process, nor the reloads that follow.
      await this.#run(isAsked).catch((error: unknown) => this.#complain(error));
    }
    this.#running = undefined;
  }

  async #run(isAsked: boolean): Promise<void> {
    const files = await this.#readSettled();
    if (this.#isClosed) return;
    const isSame = files.digestOf(this.#names) === this.#digest;
    const mayUse = isAsked || (isSame && this.#isDue);
    // The same content as at the last run has the same outcome. So a broken file is reported once.
    if (isSame && !mayUse) return;
    clearTimeout(this.#waiting);
    this.#isDue = false;
    let loaded: LoadedConfig | undefined;
    try {
      loaded = this.#load(files);
      const weakenings = weakeningsBetween(this.#config, loaded.config);
      if (weakenings.length > 0 && !mayUse) this.#wait(weakenings);
      else this.#report(await this.#use(loaded), loaded, { isAsked, weakenings });
    } catch (error) {
      if (!this.#isClosed) this.#complain(error);
    }
    if (!this.#isClosed) this.#remember(files, loaded);
  }

  /** Uses the files that were read last once they have stayed the same. SIGHUP, or another content, ends the wait. */
  #wait(weakenings: readonly string[]): void {
    const { logger, command } = this.#parts;
    this.#isPending = true;
    this.#waiting = setTimeout(() => {
      this.#isDue = true;
      this.reload(false);
    }, WEAKER_AFTER_MS).unref();
    logger.warn(
      `${command.file} may be only half written, since ${listWeakenings(weakenings)}: it is used if it stays the same for ${WEAKER_AFTER_MS / 1_000} seconds, or at once at SIGHUP`,
    );
  }

  /** Reads the files until their contents stay the same for a moment: an editor may still be writing them. */
  async #readSettled(): Promise<InputFiles> {
    let files = this.#read();
    for (let reads = 0; reads < MAX_READS && !this.#isClosed; reads += 1) {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const again = this.#read();
      if (again.digestOf(this.#names) === files.digestOf(this.#names)) return files;
      files = again;
    }
    return files;
  }

  #read(): InputFiles {
    const files = new InputFiles();
    files.note(this.#names);
    return files;
  }

  #load(files: InputFiles): LoadedConfig {
    const { command, devIssuer, env } = this.#parts;
    const { file, ignored, process } = command;
    const unused: string[] = [];
    const loaded = loadConfig(file, { env, ignored, onUnused: (name) => unused.push(name), process, files });
    this.#warnOfUnused(unused);
    const config = loaded.step(() => {
      refuseSameAddresses(loaded.config, command);
      if (devIssuer !== undefined) return withDevIssuer(loaded.config, devIssuer);
      requireIssuers(loaded.config, 'start with --dev-issuer');
      return loaded.config;
    });
    return { ...loaded, config };
  }

  /** Only a start refuses them: a part that is removed from the file must not prevent the reloads that follow. */
  #warnOfUnused(names: readonly string[]): void {
    const { logger, command } = this.#parts;
    for (const name of names.filter((each) => !this.#unused.includes(each)))
      logger.warn(`${command.file}: ${describeUnused(name)}, or the next start is refused`);
    this.#unused = names;
  }

  async #use({ config, files, step, conceal }: LoadedConfig): Promise<ConfigChanges> {
    const { gateway, devIssuer, command, concealing } = this.#parts;
    const resources = devIssuer && step(() => resourcesOf(config));
    const prepared = concealing(conceal, () => step(() => gateway.prepare(config, files)));
    const changes = await prepared.use(command.host);
    this.#config = config;
    if (resources !== undefined) devIssuer?.serve(resources);
    return changes;
  }

  #report(changes: ConfigChanges, loaded: LoadedConfig, { isAsked, weakenings }: RunFacts): void {
    const { hash, conceal } = loaded;
    const { logger, command, concealing } = this.#parts;
    const settings = settingsOfStart(loaded);
    if (!isDeepStrictEqual(settings, this.#settings)) logger.warn(RESTART);
    this.#settings = settings;
    const isSame = hash === this.#hash && changes.started.length === 0 && changes.ended.length === 0;
    this.#hash = hash;
    const wasPending = this.#isPending;
    this.#isPending = false;
    // A certificate or a key set that is read again by itself has its own line.
    if (isSame && !isAsked && !wasPending) return;
    logger.info(`Reloaded ${command.file} (sha256 ${hash}): ${describeChanges(changes)}`);
    for (const address of changes.closed) logger.info(`Stopped listening on ${address}`);
    for (const address of changes.opened) logger.info(`Listening on ${address}`);
    for (const address of newAddressesIn(changes)) logger.info(`Add ${address} to your MCP client`);
    for (const weakening of weakenings) logger.warn(weakening);
    concealing(conceal, () => {
      for (const warning of warningsOf(changes, command.host)) logger.warn(warning);
    });
  }

  #complain(error: unknown): void {
    this.#isPending = true;
    this.#parts.logger.error(withSentence(failureText(error), 'The previous configuration stays in use'));
  }

  /** Watches the files of this run, including missing ones, which may appear. */
  #remember(files: InputFiles, loaded: LoadedConfig | undefined): void {
    const { logger } = this.#parts;
    if (loaded) files.note(selfReadFilesOf(loaded.config));
    const { names } = files;
    this.#digest = files.digestOf(names);
    if (names.join('\n') === this.#names.join('\n')) return;
    this.#names = names;
    this.#endWatch();
    this.#endWatch = watchFiles(names, {
      onChange: () => this.reload(false),
      onTrouble: (folder, { message }) =>
        logger.warn(`${folder} is not watched (${message}), so its files are checked every two seconds`),
    });
    // A file may have changed after it was read and before it was watched.
    this.reload(false);
  }
}

/** The settings that are read only at the start, with the contents of the files that they name. */
function settingsOfStart({ files, config }: Pick<LoadedConfig, 'files' | 'config'>) {
  const { process: ofProcess, store, logging, tracing } = config;
  const { admin, adminPassword, health, stats } = ofProcess;
  const named = [adminPassword, store?.redis].flatMap((source) => (source && 'file' in source ? [source.file] : []));
  const contents = files.digestOf(named);
  return { admin, adminPassword, health, stats, store, logging, tracing: tracing?.written, contents };
}

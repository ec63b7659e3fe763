import type { Logger } from '../../core/logger.js';
import type { PinFile, PinTable } from './pin-file.js';
import { MAX_NAME_LENGTH } from './target-names.js';

/** More tools of one target are hidden: a target that invents tools must not fill the memory or the file. */
const MAX_TOOLS = 2_000;
const MAX_LOGGED = 1_000;

/**
 * Remembers a hash of each tool's definition when it is first listed, and hides a tool whose definition changes later: otherwise, a target
 * could rewrite the description of a tool after its user had approved it.
 */
export class ToolPins {
  readonly #file: PinFile | undefined;
  readonly #logger: Logger;
  #table: PinTable = new Map();
  /** The remembered tools whose definition has changed, by target. */
  readonly #hidden = new Map<string, Set<string>>();
  readonly #logged = new Set<string>();
  readonly #complete = new Set<string>();

  /**
   * @param file Where hashes are kept; undefined to keep them for the life of this process.
   * @throws {Error} If the file cannot be read.
   */
  constructor(file: PinFile | undefined, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
    this.#table = file?.readChanged() ?? this.#table;
  }

  /** Compares the tools of one list with the remembered hashes; returns for each tool if clients may see it. */
  check(target: string, tools: readonly { readonly name: string; readonly hash: string }[]): readonly boolean[] {
    this.#reload();
    const known = this.#table.get(target) ?? new Map<string, string>();
    const hidden = this.#hidden.get(target) ?? new Set<string>();
    const { size } = known;
    const shown = tools.map(({ name, hash }) => {
      const isShown = remember(known, name, hash);
      if (isShown) hidden.delete(name);
      else if (known.has(name)) hidden.add(name);
      if (!isShown) this.#log(target, name, known.has(name));
      return isShown;
    });
    this.#hidden.set(target, hidden);
    this.#table.set(target, known);
    if (known.size > size) this.#save();
    return shown;
  }

  /** True if all tools of a target have been compared since this process started. */
  isComplete(target: string): boolean {
    return this.#complete.has(target);
  }

  /** Compares all tools of a target. */
  checkAll(target: string, tools: Parameters<ToolPins['check']>[1]): void {
    this.check(target, tools);
    this.#complete.add(target);
  }

  /** True if the tool's last listed definition is not the remembered one, or if it cannot be remembered. */
  isHidden(target: string, name: string): boolean {
    return this.#hidden.get(target)?.has(name) === true || isTooMuch(this.#table.get(target), name);
  }

  #reload(): void {
    try {
      this.#table = this.#file?.readChanged() ?? this.#table;
    } catch (error) {
      // An editor may be in the middle of writing the file.
      this.#logOnce(
        'file',
        `the file of pin cannot be read; the hashes that were read before stay in use: ${(error as Error).message}`,
      );
    }
  }

  #save(): void {
    try {
      this.#file?.write(this.#table);
    } catch (error) {
      this.#logger.error(
        `the file of pin cannot be written; new tools are remembered only until this process ends: ${(error as Error).message}`,
      );
    }
  }

  #log(target: string, name: string, isKnown: boolean): void {
    const why = isKnown
      ? `its definition has changed since it was first listed (pin). To accept the new one, ${this.#file?.adviceFor(target) ?? 'restart this process'}`
      : `pin remembers at most ${MAX_TOOLS} tools of a target, with names of at most ${MAX_NAME_LENGTH} characters`;
    const shown = name.slice(0, MAX_NAME_LENGTH);
    this.#logOnce(`${target} ${shown}`, `target "${target}": the tool "${shown}" is hidden: ${why}`);
  }

  #logOnce(about: string, line: string): void {
    if (this.#logged.has(about) || this.#logged.size >= MAX_LOGGED) return;
    this.#logged.add(about);
    this.#logger.warn(line);
  }
}

/** Returns false if another definition is remembered, or if this one cannot be. */
function remember(known: Map<string, string>, name: string, hash: string): boolean {
  const pinned = known.get(name);
  if (pinned !== undefined) return pinned === hash;
  if (isTooMuch(known, name)) return false;
  known.set(name, hash);
  return true;
}

/** True for a tool that is not remembered, and for which there is no room. */
function isTooMuch(known: ReadonlyMap<string, string> | undefined, name: string): boolean {
  if (name.length > MAX_NAME_LENGTH) return true;
  return known !== undefined && known.size >= MAX_TOOLS && !known.has(name);
}

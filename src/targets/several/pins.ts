import type { Logger } from '../../core/logger.js';
import type { PinFile, PinTable } from './pin-file.js';
import { qualify } from './qualified.js';

/** More tools of one target are hidden: a target that invents tools must not fill the memory or the file. */
const MAX_TOOLS = 2_000;
const MAX_NAME_LENGTH = 256;
const MAX_LOGGED = 1_000;

/**
 * Remembers the definition of each tool when it is first listed, as a hash, and hides a tool whose definition is another one: a target
 * could otherwise rewrite the description of a tool after its user had approved it.
 */
export class ToolPins {
  readonly #file: PinFile | undefined;
  readonly #logger: Logger;
  #table: PinTable = new Map();
  readonly #hidden = new Map<string, Set<string>>();
  readonly #logged = new Set<string>();

  /**
   * @param file Where hashes are kept; undefined to keep them for the life of this process.
   * @throws {Error} If the file cannot be read.
   */
  constructor(file: PinFile | undefined, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
    this.#table = file?.readChanged() ?? this.#table;
  }

  /** Compares the tools of one list, with the hashes of their definitions; returns for each if clients may see it. */
  check(target: string, tools: readonly { readonly name: string; readonly hash: string }[]): readonly boolean[] {
    this.#reload();
    const known = this.#table.get(target) ?? new Map<string, string>();
    const hidden = this.#hidden.get(target) ?? new Set<string>();
    const { size } = known;
    const shown = tools.map(({ name, hash }) => {
      const isShown = remember(known, name, hash);
      if (isShown) hidden.delete(name);
      else if (hidden.size < MAX_TOOLS) hidden.add(name);
      if (!isShown) this.#log(target, name, known.has(name));
      return isShown;
    });
    this.#hidden.set(target, hidden);
    this.#table.set(target, known);
    if (known.size > size) this.#save();
    return shown;
  }

  /** True if the tool's last listed definition is not the remembered one. */
  isHidden(target: string, name: string): boolean {
    return this.#hidden.get(target)?.has(name) === true;
  }

  #reload(): void {
    try {
      this.#table = this.#file?.readChanged() ?? this.#table;
    } catch (error) {
      // The hashes that were read last go on to count: an editor may be in the middle of writing the file.
      this.#logOnce(
        'file',
        `the file of pin cannot be read, and the hashes read before go on to count: ${(error as Error).message}`,
      );
    }
  }

  #save(): void {
    try {
      this.#file?.write(this.#table);
    } catch (error) {
      this.#logger.error(
        `the file of pin cannot be written, and this process remembers the tools: ${(error as Error).message}`,
      );
    }
  }

  #log(target: string, name: string, isKnown: boolean): void {
    const why = isKnown
      ? 'its definition has changed since it was first listed (pin)'
      : `pin remembers at most ${MAX_TOOLS} tools of a target, with names of at most ${MAX_NAME_LENGTH} characters`;
    this.#logOnce(
      `${target} ${name}`,
      `the tool ${qualify('tool', target, name.slice(0, MAX_NAME_LENGTH))} is hidden: ${why}`,
    );
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
  if (known.size >= MAX_TOOLS || name.length > MAX_NAME_LENGTH) return false;
  known.set(name, hash);
  return true;
}

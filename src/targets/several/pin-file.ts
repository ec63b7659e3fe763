import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readRegularFile } from '../../core/read-regular-file.js';
import { isRecord } from '../../http/json-object.js';
import { parseStrictJson } from '../../messages/strict-json.js';

/** The remembered hashes: by target, then by tool. */
export type PinTable = Map<string, Map<string, string>>;

const HASH = /^sha256-[A-Za-z0-9_-]{43}$/;

/** The file that remembers hashes of tools. An operator may edit it while the process runs. */
export class PinFile {
  readonly #path: string;
  #seen = '';

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Returns the contents if they have changed since the last call; undefined if they have not.
   *
   * @throws {Error} If the file cannot be read, or holds anything but hashes of tools.
   */
  readChanged(): PinTable | undefined {
    const stats = statSync(this.#path, { throwIfNoEntry: false });
    const state = stats === undefined ? 'missing' : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
    if (state === this.#seen) return undefined;
    const table = stats === undefined ? new Map() : parseTable(readRegularFile(this.#path));
    this.#seen = state;
    return table;
  }

  /** Replaces the file as a whole: another process reads the old contents or the new ones. */
  write(table: PinTable): void {
    const plain = Object.fromEntries([...table].map(([target, tools]) => [target, Object.fromEntries(tools)]));
    const draft = `${this.#path}.${randomUUID()}`;
    try {
      writeFileSync(draft, `${JSON.stringify(plain, undefined, 2)}\n`, { flag: 'wx' });
      renameSync(draft, this.#path);
    } finally {
      rmSync(draft, { force: true });
    }
  }
}

function parseTable(text: string): PinTable {
  const value = parseStrictJson(text);
  if (!isRecord(value)) throw new Error('not a JSON object');
  return new Map(
    Object.entries(value).map(([target, tools]) => {
      if (!isRecord(tools)) throw new Error('the entry of a target is not an object');
      return [target, new Map(Object.entries(tools).map(([tool, hash]) => [tool, requireHash(hash)]))];
    }),
  );
}

function requireHash(hash: unknown): string {
  if (typeof hash === 'string' && HASH.test(hash)) return hash;
  throw new Error('the entry of a tool is not a hash such as "sha256-…"');
}

/** Finds a byte in a chunk from left to right. It searches no part of the chunk twice: many short steps would take quadratic time. */
export class ByteFinder {
  readonly #byte: number;
  #chunk: Buffer | undefined;
  #found = -1;

  constructor(byte: number) {
    this.#byte = byte;
  }

  /** Returns the position of the next such byte at or after `from`; the length of the chunk if there is none. */
  next(chunk: Buffer, from: number): number {
    if (this.#chunk !== chunk) {
      this.#chunk = chunk;
      this.#found = -1;
    }
    if (this.#found < from) {
      const found = chunk.indexOf(this.#byte, from);
      this.#found = found < 0 ? chunk.length : found;
    }
    return this.#found;
  }

  /** Forgets the chunk. */
  clear(): void {
    this.#chunk = undefined;
  }
}

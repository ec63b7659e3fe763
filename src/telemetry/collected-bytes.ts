/** Bytes that arrive in pieces. In one buffer: a list of a million small pieces would take a hundred times their memory. */
export class CollectedBytes {
  #bytes: Buffer = EMPTY;
  #length = 0;

  /** Adds a copy: the writer of a chunk may use its memory again. */
  add(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    piece.copy(this.#bytes, this.#length);
    this.#length = length;
  }

  get length(): number {
    return this.#length;
  }

  /** All of them, as a view that the next `add()` may change. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  toString(): string {
    return this.#bytes.toString('utf8', 0, this.#length);
  }
}

const EMPTY = Buffer.alloc(0);

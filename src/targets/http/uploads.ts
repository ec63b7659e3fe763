/** Bytes of messages that a server has not begun to answer. If there are more, further messages wait. */
const MAX_UPLOADING_BYTES = 16_777_216;
/** About the memory that a request takes up besides its body: without it, short messages would hardly count. */
const REQUEST_BYTES = 2_048;

/** Counts the bytes that wait for one server or are on their way to it, so that a server that does not read cannot fill the heap. */
export class Uploads {
  #bytes = 0;
  #drained: Promise<void> | undefined;
  #resolve: () => void = () => undefined;

  /** Counts a message; returns the function to call once when the server begins to answer it, or will not. */
  begin(bodyBytes: number): () => void {
    const bytes = bodyBytes + REQUEST_BYTES;
    this.#bytes += bytes;
    return () => {
      this.#bytes -= bytes;
      if (this.#bytes <= MAX_UPLOADING_BYTES) this.#finish();
    };
  }

  /** Returns undefined if there is room for one more message, else a promise that resolves when there may be. */
  drained(): Promise<void> | undefined {
    if (this.#bytes <= MAX_UPLOADING_BYTES) return undefined;
    this.#drained ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#drained;
  }

  #finish(): void {
    this.#drained = undefined;
    this.#resolve();
  }
}

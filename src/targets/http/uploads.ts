/** Bytes of messages that a server has not begun to answer, above which further ones wait. */
const MAX_UPLOADING_BYTES = 16_777_216;

/** Counts the messages on their way to one server, so that one that does not read cannot fill the heap. */
export class Uploads {
  #bytes = 0;
  #drained: Promise<void> | undefined;
  #resolve: () => void = () => undefined;

  /** Counts a message; returns the function to call once when the server begins to answer it, or will not. */
  begin(bytes: number): () => void {
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

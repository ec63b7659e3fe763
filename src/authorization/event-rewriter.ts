/** An event ends with an empty line. Lines end in any of three ways, which a stream may mix (HTML standard, section 9.2.6). */
const END_OF_EVENT = /(?:\r\n|\n|\r(?!\n)){2}/;

/** A line with a known field, a comment, or an empty line. */
const KNOWN_FIELD = /^(?:(?:data|event|id|retry)(?::|$)|:|$)/;

/** Characters at the end of a piece that may be the beginning of {@link END_OF_EVENT}. */
const MAX_PREFIX_LENGTH = 3;

/**
 * Rewrites the data of an event stream, however the stream is cut into pieces. It does not use eventsource-parser, which drops
 * comments, line ends and unknown fields: here everything that is not rewritten must be passed on unchanged.
 */
export class EventRewriter {
  readonly #rewrite: (data: string) => string;
  readonly #decoder = new TextDecoder();
  /** The pieces of the incomplete event. They are joined once, at its end: joining them each time would take quadratic time. */
  #pieces: string[] = [];
  #tail = '';
  #isAfterReturn = false;

  constructor(rewrite: (data: string) => string) {
    this.#rewrite = rewrite;
  }

  /** Takes more of the stream, and returns the rewritten events that are now complete. */
  push(bytes: Uint8Array): string {
    let piece = this.#decoder.decode(bytes, { stream: true });
    if (piece === '') return '';
    let ready = '';
    // The second half of a `\r\n` that was cut in two.
    if (this.#isAfterReturn && piece.startsWith('\n')) {
      ready = '\n';
      piece = piece.slice(1);
    }
    this.#isAfterReturn = false;
    this.#pieces.push(piece);
    const seam = this.#tail + piece;
    this.#tail = seam.slice(-MAX_PREFIX_LENGTH);
    return END_OF_EVENT.test(seam) ? ready + this.#complete() : ready;
  }

  /** Returns the rewritten remainder when the stream ends. */
  rest(): string {
    const rest = this.#pieces.join('') + this.#decoder.decode();
    this.#pieces = [];
    return this.#rewriteEvent(rest);
  }

  #complete(): string {
    let pending = this.#pieces.join('');
    let ready = '';
    for (let end = END_OF_EVENT.exec(pending); end !== null; end = END_OF_EVENT.exec(pending)) {
      ready += this.#rewriteEvent(pending.slice(0, end.index)) + end[0];
      pending = pending.slice(end.index + end[0].length);
    }
    this.#pieces = [pending];
    this.#tail = pending.slice(-MAX_PREFIX_LENGTH);
    this.#isAfterReturn = pending === '' && ready.endsWith('\r');
    return ready;
  }

  #rewriteEvent(event: string): string {
    const lines = event.split(/\r\n|\n|\r/);
    // Event stream readers ignore these lines, but a client that parses the whole answer as JSON does not.
    const unknown = lines.filter((line) => !KNOWN_FIELD.test(line)).join('\n');
    if (this.#rewrite(unknown) !== unknown) return '';
    const isData = (line: string) => line.startsWith('data:');
    const data = lines
      .filter(isData)
      .map((line) => line.slice('data:'.length).replace(/^ /, ''))
      .join('\n');
    const rewritten = this.#rewrite(data);
    if (rewritten === data) return event;
    const dataLines = rewritten.split('\n').map((line) => `data: ${line}`);
    return [...lines.filter((line) => !isData(line)), ...dataLines].join('\n');
  }
}

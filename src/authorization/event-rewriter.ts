/** An event ends with an empty line; lines end in any of three ways, also in turn (HTML standard, section 9.2.6). */
const END_OF_EVENT = /(?:\r\n|\n|\r(?!\n)){2}/;

/** And a comment, and an empty line. */
const KNOWN_FIELD = /^(?:(?:data|event|id|retry)(?::|$)|:|$)/;

/** Characters of what came before that may be the beginning of such an end. */
const MAX_PREFIX_LENGTH = 3;

/**
 * Rewrites the data of an event stream, whatever the pieces it comes in. Not with eventsource-parser, which reads the meaning of events only:
 * here every byte that is not rewritten must go on as it came, comments, line ends and unknown fields included.
 */
export class EventRewriter {
  readonly #rewrite: (data: string) => string;
  readonly #decoder = new TextDecoder();
  /** What belongs to no complete event yet, in the pieces it came in: joined each time, many of them would take long. */
  #pieces: string[] = [];
  #tail = '';
  #isAfterReturn = false;

  constructor(rewrite: (data: string) => string) {
    this.#rewrite = rewrite;
  }

  /** The events that are complete with these bytes. */
  push(bytes: Uint8Array): string {
    let piece = this.#decoder.decode(bytes, { stream: true });
    if (piece === '') return '';
    let ready = '';
    // The second half of a line end that was cut in two.
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

  /** What is left when the stream ends. */
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
    // Readers ignore these lines, but for one that takes the whole for JSON.
    const unknown = lines.filter((line) => !KNOWN_FIELD.test(line)).join('\n');
    if (this.#rewrite(unknown) !== unknown) return '';
    const isData = (line: string) => line.startsWith('data:');
    const data = lines
      .filter(isData)
      .map((line) => line.slice('data:'.length).replace(/^ /, ''))
      .join('\n');
    const rewritten = this.#rewrite(data);
    if (rewritten === data) return event;
    return [...lines.filter((line) => !isData(line)), `data: ${rewritten}`].join('\n');
  }
}

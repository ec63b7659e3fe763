import { CollectedBytes } from '../telemetry/collected-bytes.js';

/** Bytes of a JSON answer or of one event. As `maxMessageBytes` of the backends. */
export const MAX_ANSWER_BYTES = 16_777_216;

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
  readonly #refuse: () => string;
  readonly #decoder = new TextDecoder();
  /** The incomplete event. It becomes one text at its end: joining its pieces each time would take quadratic time. */
  #kept = new CollectedBytes();
  /** True while the rest of an event over the limit is dropped. */
  #isTooLong = false;
  #tail = '';
  #isAfterReturn = false;

  /** @param refuse Called for an event that is too long. Returns the data that replaces it. */
  constructor(rewrite: (data: string) => string, refuse: () => string) {
    this.#rewrite = rewrite;
    this.#refuse = refuse;
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
    const seam = this.#tail + piece;
    this.#tail = seam.slice(-MAX_PREFIX_LENGTH);
    if (!END_OF_EVENT.test(seam)) return ready + this.#keep(piece);
    return ready + this.#complete(this.#isTooLong ? this.#afterLongEvent(seam) : this.#take() + piece);
  }

  /** Returns the rewritten remainder when the stream ends. */
  rest(): string {
    const rest = this.#take() + this.#decoder.decode();
    return this.#isTooLong ? '' : this.#rewriteEvent(rest);
  }

  /** Returns the text that replaces the event if it becomes too long. The rest of it is then dropped. */
  #keep(piece: string): string {
    if (this.#isTooLong) return '';
    this.#kept.add(Buffer.from(piece));
    if (this.#kept.length <= MAX_ANSWER_BYTES) return '';
    this.#take();
    this.#isTooLong = true;
    return `data: ${this.#refuse()}\n\n`;
  }

  #take(): string {
    const text = this.#kept.toString();
    this.#kept = new CollectedBytes();
    return text;
  }

  #afterLongEvent(seam: string): string {
    this.#isTooLong = false;
    const end = END_OF_EVENT.exec(seam);
    return seam.slice((end?.index ?? 0) + (end?.[0].length ?? 0));
  }

  #complete(text: string): string {
    let pending = text;
    let ready = '';
    for (let end = END_OF_EVENT.exec(pending); end !== null; end = END_OF_EVENT.exec(pending)) {
      ready += this.#rewriteEvent(pending.slice(0, end.index)) + end[0];
      pending = pending.slice(end.index + end[0].length);
    }
    this.#kept.add(Buffer.from(pending));
    this.#tail = pending.slice(-MAX_PREFIX_LENGTH);
    this.#isAfterReturn = pending === '' && ready.endsWith('\r');
    return ready;
  }

  #rewriteEvent(event: string): string {
    // It came in one piece.
    if (event.length > MAX_ANSWER_BYTES) return `data: ${this.#refuse()}`;
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

/** An event ends with an empty line; lines end in any of three ways (HTML standard, section 9.2.6). */
const END_OF_EVENT = /\r\n\r\n|\n\n|\r\r/;

/** Rewrites the data of an event stream, whatever the pieces it comes in. */
export class EventRewriter {
  readonly #rewrite: (data: string) => string;
  readonly #decoder = new TextDecoder();
  #pending = '';

  constructor(rewrite: (data: string) => string) {
    this.#rewrite = rewrite;
  }

  /** The events that are complete with these bytes. */
  push(bytes: Uint8Array): string {
    this.#pending += this.#decoder.decode(bytes, { stream: true });
    let ready = '';
    for (let end = END_OF_EVENT.exec(this.#pending); end !== null; end = END_OF_EVENT.exec(this.#pending)) {
      ready += this.#rewriteEvent(this.#pending.slice(0, end.index)) + end[0];
      this.#pending = this.#pending.slice(end.index + end[0].length);
    }
    return ready;
  }

  /** What is left when the stream ends. */
  rest(): string {
    const rest = this.#pending + this.#decoder.decode();
    this.#pending = '';
    return this.#rewriteEvent(rest);
  }

  #rewriteEvent(event: string): string {
    const lines = event.split(/\r\n|\n|\r/);
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

import { COLON, SPACE } from '../messages/json-bytes.js';
import { ByteFinder } from './byte-finder.js';

const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const NEW_LINE = Buffer.from('\n');
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';
const DATA = 'data';
/** Characters of a field's name that are kept: enough to tell `data` from others, after a byte order mark. */
const MAX_NAME = 8;

/** Receives the data of events. */
export interface EventDataListener {
  /** A piece of the data of an event. */
  push(data: Buffer): void;
  /** The event is over. */
  reset(): void;
}

/** Finds the data of events in a stream that arrives in chunks (HTML standard, section 9.2.6). It keeps none of it. */
export class EventData {
  readonly #listener: EventDataListener;
  readonly #feeds = new ByteFinder(LINE_FEED);
  readonly #returns = new ByteFinder(RETURN);
  #isFirstLine = true;
  #isAfterReturn = false;
  /** The beginning of the field's name; undefined once its value has begun. */
  #name: string | undefined = '';
  #isData = false;
  /** True if the value has begun, and a space at its beginning must be dropped. */
  #isAtValue = false;
  /** True if the event has a line of data. */
  #hasData = false;

  constructor(listener: EventDataListener) {
    this.#listener = listener;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#isAfterReturn && chunk[at] === LINE_FEED) at++;
      this.#isAfterReturn = false;
      if (at === chunk.length) break;
      const end = Math.min(this.#feeds.next(chunk, at), this.#returns.next(chunk, at));
      this.#readPiece(chunk.subarray(at, end));
      if (end === chunk.length) break;
      this.#isAfterReturn = chunk[end] === RETURN;
      this.#endLine();
      at = end + 1;
    }
    this.#feeds.clear();
    this.#returns.clear();
  }

  /** Reads a piece of one line. */
  #readPiece(piece: Buffer): void {
    const value = this.#name === undefined ? piece : this.#readName(piece);
    if (value.length === 0 || !this.#isData) return;
    const hasSpace = this.#isAtValue && value[0] === SPACE;
    this.#isAtValue = false;
    const data = hasSpace ? value.subarray(1) : value;
    if (data.length > 0) this.#listener.push(data);
  }

  /** Reads the name of the field, and returns the beginning of its value. */
  #readName(piece: Buffer): Buffer {
    const colon = piece.indexOf(COLON);
    this.#name = ((this.#name ?? '') + piece.toString('latin1', 0, colon < 0 ? MAX_NAME : colon)).slice(0, MAX_NAME);
    if (colon < 0) return piece.subarray(piece.length);
    this.#beginValue();
    return piece.subarray(colon + 1);
  }

  #beginValue(): void {
    const name = this.#isFirstLine ? this.#name?.replace(BYTE_ORDER_MARK, '') : this.#name;
    this.#isData = name === DATA;
    this.#isAtValue = true;
    this.#name = undefined;
    if (this.#isData && this.#hasData) this.#listener.push(NEW_LINE);
    if (this.#isData) this.#hasData = true;
  }

  #endLine(): void {
    if (this.#name === '') {
      this.#hasData = false;
      this.#listener.reset();
    } else if (this.#name !== undefined) this.#beginValue();
    this.#isFirstLine = false;
    this.#name = '';
    this.#isData = false;
  }
}

import { BACKSLASH, CLOSE, CLOSE_LIST, COLON, COMMA, OPEN, OPEN_LIST, QUOTE, SPACE } from '../messages/json-bytes.js';
import { keyOf, readString } from '../messages/json-rpc.js';
import { ByteFinder } from './byte-finder.js';
import { CollectedBytes } from './collected-bytes.js';
import { type Level, ScannedMessage } from './scanned-message.js';

/** Bytes of a string that are compared one by one before the native search takes over. */
const MAX_COMPARED = 48;
/** Characters of an id, or of the name of a member. Longer ones count as unknown. */
export const MAX_TEXT = 1_024;

/** 1 for each byte with which the name of a needed member can begin. */
const INITIALS = Uint8Array.from({ length: 256 }, (_, byte) => ('iremc\\'.includes(String.fromCharCode(byte)) ? 1 : 0));

/** The facts about one JSON-RPC response that a record needs. */
export interface ScannedResponse {
  /** The id, in the spelling of `keyOf()`; undefined if it is null or too long. */
  readonly key: string | undefined;
  /** True if it has an `error`. */
  readonly isError: boolean;
  /** The code of the error. */
  readonly code: number | undefined;
  /** True if its result has `isError: true`. */
  readonly isToolError: boolean;
  /** The bytes of the message. */
  readonly bytes: number;
  /** The message, if it was collected and is not too long. */
  readonly text: string | undefined;
}

/** Receives the responses that are found. */
export interface ResponseListener {
  onResponse(response: ScannedResponse): void;
}

/**
 * Finds the JSON-RPC responses in one text of JSON that arrives in chunks, alone or in batches. However long the JSON is, it keeps a few short
 * texts, and a message only up to a limit. It does not check that the text is JSON; if it is not, the responses mean nothing.
 */
export class ResponseScanner {
  readonly #listener: ResponseListener;
  readonly #maxCollected: number;
  readonly #quotes = new ByteFinder(QUOTE);
  readonly #backslashes = new ByteFinder(BACKSLASH);
  /** The bytes before the current chunk. */
  #before = 0;
  #depth = 0;
  /** The depth within a message: 1, or 2 in a batch. */
  #base = 1;
  #level: Level = 'other';
  #message: ScannedMessage | undefined;
  #isKey = false;
  #isInString = false;
  #isEscaped = false;
  /** The key or value that is being read; undefined if it is not needed. */
  #text: string | undefined;

  /** @param maxCollected The longest message whose text is returned, in bytes; 0: none. */
  constructor(listener: ResponseListener, maxCollected: number) {
    this.#listener = listener;
    this.#maxCollected = maxCollected;
  }

  push(chunk: Buffer): void {
    const { length } = chunk;
    for (let at = 0; at < length; ) at = this.#isInString ? this.#readString(chunk, at) : this.#readOther(chunk, at);
    this.#keep(chunk, length);
    this.#before += length;
    this.#quotes.clear();
    this.#backslashes.clear();
  }

  /** Reads until a string begins. Returns the position after its quote, or the end of the chunk. */
  #readOther(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte === QUOTE) {
        this.#isInString = true;
        if (this.#level !== 'other' && (this.#isKey || this.#message?.needs(this.#level))) this.#text = '"';
        return at + 1;
      }
      if (byte === OPEN || byte === OPEN_LIST) this.#open(byte, at);
      else if (byte === CLOSE || byte === CLOSE_LIST) this.#close(chunk, at + 1);
      else if (this.#level !== 'other' && byte > SPACE) this.#readMember(byte);
    }
    return chunk.length;
  }

  #readMember(byte: number): void {
    if (byte === COMMA) {
      this.#endValue();
      this.#isKey = true;
      this.#message?.name(this.#level, undefined);
    } else if (byte === COLON) this.#endName();
    else if (!this.#isKey && this.#message?.needs(this.#level)) this.#add(String.fromCharCode(byte));
  }

  #readString(chunk: Buffer, from: number): number {
    const end = this.#endOfString(chunk, from);
    if (this.#text === undefined) return end;
    // Most names are not needed. One that begins with a backslash may be any name.
    if (this.#isKey && this.#text === '"' && INITIALS[chunk[from] as number] !== 1) this.#text = undefined;
    else this.#add(chunk.toString('latin1', from, end));
    return end;
  }

  /** Returns the position after the quote that ends the string, or the end of the chunk. */
  #endOfString(chunk: Buffer, from: number): number {
    const { length } = chunk;
    let at = this.#isEscaped ? from + 1 : from;
    this.#isEscaped = false;
    while (at < length) {
      const limit = Math.min(length, at + MAX_COMPARED);
      while (at < limit && chunk[at] !== QUOTE && chunk[at] !== BACKSLASH) at++;
      if (at === limit) at = Math.min(this.#quotes.next(chunk, at), this.#backslashes.next(chunk, at));
      if (at >= length) break;
      if (chunk[at] === QUOTE) {
        this.#isInString = false;
        return at + 1;
      }
      this.#isEscaped = at + 1 === length;
      at += 2;
    }
    return length;
  }

  #add(piece: string): void {
    const text = (this.#text ?? '') + piece;
    this.#text = text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text;
  }

  #open(byte: number, at: number): void {
    this.#depth++;
    if (this.#depth === 1) this.#base = byte === OPEN ? 1 : 2;
    const message = this.#message;
    if (byte === OPEN && this.#depth === this.#base) {
      this.#message = new ScannedMessage(this.#before + at, this.#maxCollected > 0 ? new CollectedBytes() : undefined);
      this.#level = 'message';
    } else if (byte === OPEN && this.#level === 'message' && isInner(message?.member)) {
      if (message !== undefined) message.inner = message.member as 'result' | 'error';
      this.#level = 'inner';
    } else this.#level = 'other';
    this.#isKey = this.#level !== 'other';
  }

  #close(chunk: Buffer, end: number): void {
    this.#endValue();
    if (this.#depth > 0) this.#depth--;
    this.#isKey = false;
    const message = this.#message;
    const levels = this.#depth - this.#base;
    if (levels < 0 && message !== undefined) this.#end(message, chunk, end);
    if (levels === 0 && message !== undefined) message.inner = undefined;
    this.#level = levels === 0 && message ? 'message' : levels === 1 && message?.inner ? 'inner' : 'other';
  }

  #endName(): void {
    if (this.#isKey && this.#text !== undefined) this.#message?.name(this.#level, readString(decode(this.#text)));
    this.#isKey = false;
    this.#text = undefined;
  }

  #endValue(): void {
    if (this.#text !== undefined && !this.#isKey) this.#message?.set(this.#level, this.#text);
    this.#text = undefined;
  }

  #end(message: ScannedMessage, chunk: Buffer, end: number): void {
    this.#keep(chunk, end);
    this.#message = undefined;
    if (message.isRequest || !(message.isResult || message.isError)) return;
    const { id, code, isError, isToolError, collected } = message;
    this.#listener.onResponse({
      key: id === undefined || id.length >= MAX_TEXT ? undefined : keyOf(decode(id)),
      isError,
      code: code === undefined ? undefined : integerIn(code),
      isToolError,
      bytes: this.#before + end - message.start,
      text: collected?.toString(),
    });
  }

  /** Collects the part of the message that is in this chunk. */
  #keep(chunk: Buffer, end: number): void {
    const message = this.#message;
    if (message?.collected === undefined) return;
    if (this.#before + end - message.start > this.#maxCollected) message.collected = undefined;
    else message.collected.add(chunk.subarray(Math.max(0, message.start - this.#before), end));
  }
}

/** Returns the integer that is written in a JSON value; undefined for any other value. */
export function integerIn(text: string): number | undefined {
  return Number.isInteger(Number(text)) ? Number(text) : undefined;
}

function isInner(member: string | undefined): boolean {
  return member === 'result' || member === 'error';
}

/** Decodes UTF-8 that was read as Latin-1. */
function decode(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString() : text;
}

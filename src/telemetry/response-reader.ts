import { CLOSE, SPACE } from '../messages/json-bytes.js';
import { keyOf } from '../messages/json-rpc.js';
import { MemberFinder } from '../messages/member-finder.js';
import {
  integerIn,
  MAX_TEXT,
  type ResponseListener,
  ResponseScanner,
  type ScannedResponse,
} from './response-scanner.js';

const members = new MemberFinder(['id', 'method', 'result', 'result.isError', 'error', 'error.code']);
const ID = members.numberOf('id');
const METHOD = members.numberOf('method');
const RESULT = members.numberOf('result');
const IS_ERROR = members.numberOf('result.isError');
const ERROR = members.numberOf('error');
const CODE = members.numberOf('error.code');
const TRUE = Buffer.from('true');

/** Finds the JSON-RPC responses in JSON that arrives in chunks. A message that is a chunk of its own, as most are, is read faster. */
export class ResponseReader {
  readonly #listener: ResponseListener;
  readonly #maxCollected: number;
  /** Reads the text from its first chunk that is not one whole message. */
  #scanner: ResponseScanner | undefined;

  /** @param maxCollected The longest message whose text is returned, in bytes; 0: none. */
  constructor(listener: ResponseListener, maxCollected: number) {
    this.#listener = listener;
    this.#maxCollected = maxCollected;
  }

  push(chunk: Buffer): void {
    if (this.#scanner === undefined && endsObject(chunk) && members.find(chunk)) {
      const response = this.#foundIn(chunk);
      members.release();
      if (response !== undefined) this.#listener.onResponse(response);
    } else {
      this.#scanner ??= new ResponseScanner(this.#listener, this.#maxCollected);
      this.#scanner.push(chunk);
    }
  }

  /** Begins a new text. */
  reset(): void {
    this.#scanner = undefined;
  }

  #foundIn(chunk: Buffer): ScannedResponse | undefined {
    const isError = members.has(ERROR);
    if (members.has(METHOD) || !(isError || members.has(RESULT))) return undefined;
    const { start, end } = members;
    return {
      key: members.lengthOf(ID) < MAX_TEXT ? keyOf(members.textOf(ID)) : undefined,
      isError,
      code: members.has(CODE) && members.lengthOf(CODE) < MAX_TEXT ? integerIn(members.textOf(CODE)) : undefined,
      isToolError: members.isWritten(IS_ERROR, TRUE),
      bytes: end - start,
      text: end - start > this.#maxCollected ? undefined : chunk.toString('utf8', start, end),
    };
  }
}

/** True if the text may be one whole object. The beginning of a longer one is not searched: the scanner reads it anyway. */
function endsObject(text: Buffer): boolean {
  let last = text.length - 1;
  while (last > 0 && (text[last] as number) <= SPACE) last--;
  return text[last] === CLOSE;
}

import { withoutByteOrderMark } from '../../messages/byte-order-mark.js';

/**
 * Replaces the numbers `NaN` and `Infinity`, which JSON does not have, by `null`. Parsers in Python accept them: otherwise a client could call
 * tools without a record.
 */
export function withoutNonNumbers(text: string): string {
  let result = '';
  let [from, isInString] = [0, false];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isInString && character === '\\') at++;
    else if (character === '"') isInString = !isInString;
    const word = isInString
      ? undefined
      : NON_NUMBERS.find((each) => each[0] === character && text.startsWith(each, at));
    if (word === undefined) continue;
    result += `${text.slice(from, text[at - 1] === '-' ? at - 1 : at)}null`;
    at += word.length - 1;
    from = at + 1;
  }
  return result + text.slice(from);
}

const NON_NUMBERS = ['NaN', 'Infinity'];

/**
 * Decodes the body of a message: from UTF-8, with or without a byte order mark, or from the other encodings of Unicode, which some targets
 * accept. They are recognized by their zero bytes: a JSON text begins with two characters of ASCII (RFC 4627, section 3).
 */
export function decodeJson(body: Buffer): Buffer {
  const text = decodeWide(body);
  return text === undefined ? withoutByteOrderMark(body) : Buffer.from(text.replace(/^\ufeff/, ''));
}

/** Undefined for UTF-8. */
function decodeWide(body: Buffer): string | undefined {
  const [first, second, third, fourth] = body;
  const isBigEndian = first === 0 || (first === 0xfe && second === 0xff);
  const isWide = isBigEndian || second === 0 || (first === 0xff && second === 0xfe);
  if (!isWide) return undefined;
  const is32 = isBigEndian ? first === 0 && second === 0 : third === 0 && fourth === 0;
  if (is32) return decode32(body, isBigEndian);
  return new TextDecoder(isBigEndian ? 'utf-16be' : 'utf-16le').decode(body);
}

function decode32(body: Buffer, isBigEndian: boolean): string {
  let text = '';
  for (let at = 0; at + 4 <= body.length; at += 4) {
    const code = isBigEndian ? body.readUInt32BE(at) : body.readUInt32LE(at);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  }
  return text;
}

import { isUtf8 } from 'node:buffer';
import { trimOws } from '../http/ows.js';
import { startsWithByteOrderMark, withoutByteOrderMark } from './byte-order-mark.js';
import { CLOSE, CLOSE_LIST, COMMA, OPEN, OPEN_LIST, QUOTE } from './json-bytes.js';
import { readMembers } from './json-members.js';
import { keyOf, type RpcMessage, readMessage, readString, readTruncated } from './json-rpc.js';
import { endOfValue, skipSpace } from './json-scan.js';

const NONE = Buffer.alloc(0);

/** Parses a line of a child as a message. Undefined if the whole line is not JSON, not UTF-8, or not JSON-RPC 2.0. */
export function readChildLine(bytes: Buffer): RpcMessage | undefined {
  const message = readMessage(bytes);
  if (message === undefined || !isUtf8(bytes)) return undefined;
  const version = message.members.list.find(({ name }) => name === 'jsonrpc');
  return version && readString(bytes.toString('utf8', version.start, version.end)) === '2.0' ? message : undefined;
}

/**
 * Finds the requests that a malformed line was meant to answer, as keys of `keyOf`. Returns `'any'` if it looks like an answer but its
 * id cannot be read. Programs print all kinds of text to stdout, so a line that does not begin like a message answers no request.
 */
export function requestsAnsweredBy(line: Buffer): readonly string[] | 'any' {
  const whole = withoutByteOrderMark(line);
  const bytes = withoutBrackets(whole);
  const has = (name: string) => bytes.includes(`"${name}"`);
  if (bytes[skipSpace(bytes, 0)] !== OPEN) return [];
  // A list that a program prints for its user often has ids.
  if (bytes !== whole && !(has('jsonrpc') && (has('result') || has('error')))) return [];
  const keys: string[] = [];
  // A line may hold several messages, with anything after the last.
  for (let at = 0, members = readMembers(bytes); members !== undefined; members = readMembers(bytes, at)) {
    at = afterComma(bytes, members.end);
    const id = members.list.find(({ name }) => name === 'id');
    const asks = members.list.some(({ name }) => name === 'method');
    const answers = members.list.some(({ name }) => name === 'result' || name === 'error');
    const key = id && keyOf(bytes.toString('utf8', id.start, id.end));
    if (key !== undefined && (answers || !asks)) keys.push(key);
  }
  if (keys.length > 0 || readMembers(bytes) !== undefined) return keys;
  // Two writers may have mixed their messages in one line. So each end is read for itself.
  const ends = [readTruncated(bytes, NONE), readTruncated(NONE, bytes)];
  if (ends.some(({ kind }) => kind !== 'response') && !has('result') && !has('error')) return [];
  for (const { kind, key } of ends) if (key !== undefined) return kind === 'response' ? [key] : [];
  return has('jsonrpc') && (has('result') || has('error')) && !has('method') ? 'any' : [];
}

/**
 * True if a text that begins with `head` may be a message or a batch, judging by its first bytes. A log line such as `[info] …` or
 * `{ level: …` is not.
 */
export function beginsLikeMessage(head: Buffer): boolean {
  const bytes = withoutByteOrderMark(head);
  let at = skipSpace(bytes, 0);
  if (bytes[at] === OPEN_LIST) at = skipSpace(bytes, at + 1);
  if (bytes[at] === OPEN) at = skipSpace(bytes, at + 1);
  else return at === bytes.length;
  return at === bytes.length || bytes[at] === QUOTE || bytes[at] === CLOSE;
}

/** Describes a line that is not a message, for the log. It quotes nothing of the line. */
export function describeNoMessage(line: Buffer): string {
  if (startsWithByteOrderMark(line)) return 'it begins with a byte order mark';
  const start = trimOws(line.toString('latin1', 0, 64));
  if (/^content-(?:length|type)[ \t]*:/i.test(start)) {
    return 'a header of the Language Server Protocol; MCP needs one message per line';
  }
  if (/^[{[]$/.test(start)) return 'JSON over several lines; MCP needs one message per line';
  if (!isUtf8(line)) return 'not UTF-8';
  const end = endOfValue(line, skipSpace(line, 0));
  if (end < 0) return start.startsWith('{') ? 'it begins like a message, but is not JSON' : 'not JSON';
  return skipSpace(line, end) === line.length ? 'JSON, but not a JSON-RPC 2.0 message' : 'JSON followed by more text';
}

/** True if a line is plain text, such as a greeting: it does not begin like JSON. */
export function isProse(line: Buffer): boolean {
  return isUtf8(line) && /^[^{["]/.test(trimOws(line.toString('utf8')));
}

/** Returns the members of a batch, as if each were written after the one before; other bytes as they are. */
function withoutBrackets(bytes: Buffer): Buffer {
  const start = skipSpace(bytes, 0);
  if (bytes[start] !== OPEN_LIST) return bytes;
  return bytes.subarray(start + 1, bytes.at(-1) === CLOSE_LIST ? -1 : undefined);
}

function afterComma(bytes: Buffer, end: number): number {
  const at = skipSpace(bytes, end);
  return bytes[at] === COMMA ? at + 1 : end;
}

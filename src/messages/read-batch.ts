import { readChildLine } from './child-line.js';
import { MAX_MESSAGES } from './json-bounds.js';
import { OPEN_LIST } from './json-bytes.js';
import { readElements } from './json-members.js';
import { endOfValue, skipSpace } from './json-scan.js';

/**
 * Returns the messages of a batch that a server sent, each as bytes of its own: revision 2025-03-26 has batches. Undefined if the bytes are not a batch,
 * if no member is a message, as in a list that a program prints for its user, or if there are more than 1,000: reading them would block the process.
 */
export function readBatch(bytes: Buffer): readonly Buffer[] | undefined {
  const start = skipSpace(bytes, 0);
  if (bytes[start] !== OPEN_LIST) return undefined;
  const elements = readElements(bytes, start, MAX_MESSAGES + 1) ?? [];
  if (elements.length > MAX_MESSAGES) return undefined;
  if (skipSpace(bytes, endOfValue(bytes, start)) < bytes.length) return undefined;
  const messages = elements.map((element) => bytes.subarray(element.start, element.end));
  return messages.some((message) => readChildLine(message) !== undefined) ? messages : undefined;
}

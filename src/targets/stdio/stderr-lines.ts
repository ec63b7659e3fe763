import type { Readable } from 'node:stream';
import type { Logger } from '../../core/logger.js';
import { printable } from '../../core/printable.js';
import { LineReader } from '../../messages/line-codec.js';

const MAX_LINE_LENGTH = 2_048;
const LINES_PER_SECOND = 100;
/** The last lines that are kept, and the characters of each. */
const MAX_LAST_LINES = 5;
const MAX_LAST_LENGTH = 300;

/**
 * Logs the stderr of a child line by line, without unprintable characters and at most 100 lines a second: at info, or at debug while
 * `isProbed()` is true.
 *
 * @returns A function that returns the beginnings of its last lines.
 */
export function logStderr(
  stream: Readable,
  name: string,
  logger: Logger,
  isProbed: () => boolean = () => false,
): () => readonly string[] {
  const last: string[] = [];
  let second = 0;
  let lines = 0;
  let timer: NodeJS.Timeout | undefined;
  const reportDropped = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines > LINES_PER_SECOND) logger.warn(`${name}: ${lines - LINES_PER_SECOND} more lines on stderr were dropped`);
    lines = 0;
  };
  const log = (text: string): void => {
    if (text !== '') last.push(printable(text, MAX_LAST_LENGTH));
    if (last.length > MAX_LAST_LINES) last.shift();
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) reportDropped();
    second = now;
    lines++;
    if (lines <= LINES_PER_SECOND) logger[isProbed() ? 'debug' : 'info'](`${name}: ${text}`);
    // There may be no further line.
    else timer ??= setTimeout(reportDropped, 1_000).unref();
  };
  const reader = new LineReader(MAX_LINE_LENGTH, {
    line: (bytes) => log(lineText(bytes)),
    oversized: (head) => log(`${lineText(head.subarray(0, MAX_LINE_LENGTH))}…`),
  });
  stream.on('data', (chunk: Buffer) => reader.push(chunk));
  stream.on('end', () => reader.end());
  stream.on('close', reportDropped);
  return () => last;
}

// With escape sequences and line ends, a child could forge log lines.
function lineText(bytes: Buffer): string {
  return printable(bytes.toString('utf8').trimEnd(), MAX_LINE_LENGTH);
}

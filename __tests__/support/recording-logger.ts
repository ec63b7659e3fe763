import type { Logger } from '../../src/index.js';

/** A logger that records its lines, each prefixed with its level. */
export function createRecordingLogger(): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = [];
  const level = (name: string) => (line: string) => void lines.push(`${name} ${line}`);
  return { lines, logger: { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') } };
}

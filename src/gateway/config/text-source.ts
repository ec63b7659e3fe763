import { resolve } from 'node:path';
import { isRecord } from '../../http/json-object.js';
import { readInputFile } from '../startup-error.js';
import type { ConfigNode } from './config-node.js';

/** A text that stands in the configuration file, or the absolute name of the file that it is in. */
export type TextSource = { readonly text: string } | { readonly file: string };

/** Reads `SECRET` or `{ file: NAME }`, agentgateway's two ways to give a secret. */
export function readTextSource(node: ConfigNode, directory: string): TextSource {
  if (!isRecord(node.value)) return { text: node.text() };
  return readFileName(node.members({ required: ['file'] }).file, directory);
}

/** Reads the name of a file. */
export function readFileName(node: ConfigNode, directory: string): { readonly file: string } {
  return { file: resolve(directory, node.text()) };
}

/**
 * The text itself. Editors and `echo` end a file with a line end, which belongs to no secret.
 *
 * @throws {StartupError}
 */
export function textOf(source: TextSource): string {
  return 'text' in source ? source.text : readInputFile(source.file).trim();
}
